"""What GitHub reads: workflows call targets that exist, forms parse, and attributes point at files that are there."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

import phase2

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yaml"))
PAGES = sorted(
    {*GITHUB.rglob("*.yml"), *GITHUB.rglob("*.yaml"), ROOT / "CITATION.cff", ROOT / ".pre-commit-config.yaml"}
)


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs():
    return [
        pytest.param(job, id=f"{path.stem}-{name}") for path in WORKFLOWS for name, job in read(path)["jobs"].items()
    ]


def targets(job):
    """What the steps of a job make, once for each entry of its matrix."""
    said = [step["run"] for step in job["steps"] if "run" in step]
    suites = job.get("strategy", {}).get("matrix", {}).get("suite", [""])
    for command in said:
        for suite in suites:
            words = command.replace("${{ matrix.suite }}", suite).split()
            yield words[words.index("make") + 1 :]


def is_made(words):
    return subprocess.run(["make", "--dry-run", *words], cwd=ROOT, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("path", PAGES, ids=[path.name for path in PAGES])
def test_files_parse(path):
    assert read(path)


@pytest.mark.parametrize("job", jobs())
def test_a_job_makes_targets_that_exist(job):
    found = list(targets(job))
    assert found
    assert [words for words in found if not is_made(words)] == []


def test_a_target_that_does_not_exist_would_be_noticed():
    assert not is_made(["no-such-target"])


@pytest.mark.parametrize("job", jobs())
def test_actions_are_pinned_by_major_version(job):
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in used)


def test_the_citation_is_of_this_version():
    assert read(ROOT / "CITATION.cff")["version"] == phase2.__version__


def test_generated_files_are_marked_and_there():
    patterns = [line.split()[0] for line in (ROOT / ".gitattributes").read_text().splitlines() if "generated" in line]
    assert patterns
    assert [one for one in patterns if not any(ROOT.glob(one))] == []


def test_hooks_run_tools_of_the_environment_alone():
    hooks = [hook for repo in read(ROOT / ".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    assert {repo["repo"] for repo in read(ROOT / ".pre-commit-config.yaml")["repos"]} == {"local"}
    assert all(hook["language"] == "system" and hook["entry"].startswith(".venv/bin/") for hook in hooks)
