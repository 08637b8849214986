"""What is retried and what is final."""

import re

import pytest

from .manifests import TEMPLATES, container_templates

RETRIED, FINAL = True, False
TABLE = [
    ("Failed", "75", "main: Error (exit code 75)", "0", RETRIED),
    ("Failed", "143", "main: Error (exit code 143)", "0", RETRIED),
    ("Failed", "143", "main: Error (exit code 143)", "5", RETRIED),
    ("Failed", "137", "main: Error (exit code 137)", "3", RETRIED),  # killed, not for its memory
    ("Failed", "137", "main: OOMKilled (exit code 137)", "0", RETRIED),
    ("Failed", "137", "main: OOMKilled (exit code 137)", "1", FINAL),  # out of memory is retried once
    ("Failed", "-1", "The node was low on resource: memory", "0", RETRIED),
    ("Error", "-1", "pod deleted", "0", RETRIED),
    ("Error", "0", "Error (exit code 64): failed to put file", "0", RETRIED),  # the artifact was not stored
    ("Failed", "143", "Pod was active on the node longer than the specified deadline", "0", FINAL),
    ("Failed", "1", "main: Error (exit code 1)", "0", FINAL),
    ("Failed", "2", "main: Error (exit code 2): Unknown level 'hgue'.", "0", FINAL),
    ("Failed", "3", "main: Error (exit code 3)", "0", FINAL),
    ("Failed", "4", "main: Error (exit code 4)", "0", FINAL),
]


def evaluate(expression, status, exit_code, message, retries):
    """The expression in Python's words; ``lastRetry`` and ``retries`` are what Argo gives it."""
    python = re.sub(r"lastRetry\.message matches (\"[^\"]*\")", r"matches(\1)", expression)
    for theirs, ours in (("||", " or "), ("&&", " and "), ("!(", " not (")):
        python = python.replace(theirs, ours)
    python = python.replace("lastRetry.", "")
    names = {
        "status": status, "exitCode": exit_code, "retries": retries,
        "matches": lambda pattern: re.search(pattern, message) is not None,
    }  # fmt: skip
    return eval(" ".join(python.split()), {"__builtins__": {}}, names)


def retried(template):
    """The steps, without the exit handler."""
    return [one for name, one in container_templates(template).items() if name != template["spec"]["onExit"]]


EXPRESSIONS = {one["retryStrategy"]["expression"] for template in TEMPLATES.values() for one in retried(template)}


def test_there_is_one_rule_and_every_step_has_it():
    assert len(EXPRESSIONS) == 1


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_an_exit_handler_that_cannot_start_ends(template):
    """Argo's timeout counts while a pod is pending, and only where the template is not retried."""
    finish = container_templates(template)[template["spec"]["onExit"]]
    assert "retryStrategy" not in finish
    assert finish["timeout"] == f"{finish['activeDeadlineSeconds']}s"
    assert 0 < finish["activeDeadlineSeconds"] <= 3600


@pytest.mark.parametrize(("status", "code", "message", "retries", "again"), TABLE)
def test_truth_table(status, code, message, retries, again):
    (expression,) = EXPRESSIONS
    assert evaluate(expression, status, code, message, retries) is again


def test_the_job_has_the_same_final_codes():
    from phase2.cluster.manifests.job import FINAL_EXIT_CODES

    (expression,) = EXPRESSIONS
    for code in FINAL_EXIT_CODES:
        assert evaluate(expression, "Failed", str(code), "", "0") is FINAL


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_retries_are_always_limited_and_never_end_by_the_clock(template):
    for one in retried(template):
        strategy = one["retryStrategy"]
        assert strategy["retryPolicy"] == "Always", "it must be, for the expression to decide"
        assert 0 < int(strategy["limit"]) < 20
        assert set(strategy["backoff"]) == {"duration", "factor", "cap"}
