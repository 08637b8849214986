"""The chart takes over what kustomize installed: the same objects, and only what is listed is left for people."""

import pytest
import yaml
from tests.k8s.conftest import kustomize  # noqa: F401 - a fixture

# What the chart neither has nor replaces; docs/how-to/helm.md lists it.
CLOCKS = {("CronWorkflow", "phase2-clean"), ("CronWorkflow", "phase2-nightly-page")}
BY_HAND = {("Namespace", "phase2"), *CLOCKS}
IMMUTABLE: dict[str, list[tuple[str, ...]]] = {
    "PersistentVolumeClaim": [("spec", "accessModes"), ("spec", "storageClassName"), ("spec", "volumeMode")],
    "PriorityClass": [("value",), ("preemptionPolicy",)],
    "RoleBinding": [("roleRef",)],
    "Secret": [("type",)],
}
"""Fields that the API server lets nobody change: a difference would stop the installation half way."""


@pytest.fixture
def installed(kustomize):  # noqa: F811
    """The objects of k8s/base, the policy of Jobs and argo/, by kind and name."""
    texts = [kustomize(folder) for folder in ("components/policy", "../argo")]
    return by_name([one for text in texts for one in yaml.safe_load_all(text)])


@pytest.fixture
def chart(helm):
    """The objects of the chart with Argo, by kind and name."""
    return by_name(helm.objects("default", "--set", "argo.enabled=true"))


def by_name(things):
    return {(one["kind"], one["metadata"]["name"]): one for one in things if one}


def at(thing, path):
    for key in path:
        thing = (thing or {}).get(key)
    return thing


def test_the_chart_has_every_object_but_those_that_are_removed_by_hand(installed, chart):
    assert len(installed) > 30
    assert installed.keys() - chart.keys() == BY_HAND
    for name in installed.keys() & chart.keys():
        assert installed[name]["metadata"].get("namespace") == chart[name]["metadata"].get("namespace"), name


def test_the_clean_up_and_the_page_are_taken_over_where_they_are_asked_for(installed, helm):
    asked = [word for name in ("argo", "retention", "page") for word in ("--set", f"{name}.enabled=true")]
    assert installed.keys() - by_name(helm.objects("default", *asked)).keys() == BY_HAND - CLOCKS


def test_no_field_differs_that_cannot_be_changed(installed, chart):
    looked_at = 0
    for (kind, name), one in installed.items():
        for path in IMMUTABLE.get(kind, []):
            if (kind, name) in chart:
                looked_at += 1
                assert at(one, path) == at(chart[kind, name], path), (kind, name, path)
    assert looked_at >= 8
