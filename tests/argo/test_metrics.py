"""What Argo's controller counts for the workflows: few series, by labels that do not collide with those of a scrape."""

import re

import pytest

from tools.manifests.argo.metrics import DURATION, ENDED

from .manifests import TEMPLATES

FROM_THE_SCRAPE = {"namespace", "pod", "container", "job", "instance", "endpoint", "service"}
BOUNDED = {"workflow.status", "workflow.namespace", "workflow.parameters.algorithm", "workflow.parameters.level"}


@pytest.fixture(params=TEMPLATES)
def metrics(request):
    """The metrics of a template, and its parameters."""
    spec = TEMPLATES[request.param]["spec"]
    return spec["metrics"]["prometheus"], {one["name"] for one in spec["arguments"]["parameters"]}


def test_every_workflow_counts_its_end_and_its_duration(metrics):
    ended, duration = metrics[0]
    assert (ended["name"], ended["counter"]) == (ENDED, {"value": "1"})
    assert (duration["name"], duration["histogram"]["value"]) == (DURATION, "{{workflow.duration}}")
    assert sorted(duration["histogram"]["buckets"]) == duration["histogram"]["buckets"]


def test_labels_are_those_that_there_are_few_of_and_that_no_scrape_sets(metrics):
    found, parameters = metrics
    for one in found:
        labels = {label["key"]: label["value"] for label in one["labels"]}
        assert {"status", "template", "run_namespace"} <= labels.keys()
        assert not labels.keys() & FROM_THE_SCRAPE
        tags = set(re.findall(r"\{\{(.*?)\}\}", " ".join(labels.values())))
        assert tags <= BOUNDED
        assert {tag.rpartition(".")[2] for tag in tags if ".parameters." in tag} <= parameters


def test_one_name_has_one_help_in_all_templates():
    """The controller refuses a metric whose help differs from that of another workflow."""
    pairs = {(one["name"], one["help"]) for each in TEMPLATES.values() for one in each["spec"]["metrics"]["prometheus"]}
    assert len(pairs) == len({name for name, _ in pairs})
