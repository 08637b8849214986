"""An upgrade from the last release changes no field that Kubernetes does not let change, and takes no claim away."""

import tarfile

import pytest
import yaml

from .rendering import CHART, PROFILES, PROJECT, RELEASED, parsed, values_of

ARGO = "argoproj.io/v1alpha1/WorkflowTemplate"
GROWS = ("resources",)


def immutable(one):
    """The fields of an object that an update must leave as they are."""
    spec, metadata = one.get("spec", {}), one["metadata"]
    kept = {
        "PersistentVolumeClaim": lambda: {key: value for key, value in spec.items() if key not in GROWS},
        "Deployment": lambda: spec["selector"],
        "Job": lambda: {key: spec.get(key) for key in ("template", "selector", "completions", "completionMode")},
        "Service": lambda: spec.get("clusterIP"),
        "RoleBinding": lambda: one["roleRef"],
        "Secret": lambda: one.get("type", "Opaque"),
        "PriorityClass": lambda: (one["value"], one.get("preemptionPolicy")),
        "LocalQueue": lambda: spec["clusterQueue"],
    }
    immutable_data = one.get("data") if one.get("immutable") else None
    return kept.get(one["kind"], lambda: None)(), immutable_data, metadata.get("namespace")


def by_name(text):
    return {(one["kind"], one["metadata"]["name"]): one for one in parsed(text)}


@pytest.fixture
def both(helm, profile):
    """What the last release and this chart install with a profile's values of then and of now."""
    place = ["--namespace", "phase2", "--kube-version", PROFILES[profile], "--no-hooks"]
    served = ["--api-versions", ARGO] if profile == "existing-s3" else []
    old = helm("template", "phase2", RELEASED, *place, *values_of(profile, RELEASED.parent / "ci"), *served).stdout
    return by_name(old), by_name(helm("template", "phase2", CHART, *place, *values_of(profile)).stdout)


def test_fields_that_cannot_change_do_not(both):
    before, after = both
    common = before.keys() & after.keys()
    assert len(common) >= 8
    assert {name for name in common if immutable(before[name]) != immutable(after[name])} == set()


def test_claims_stay(both):
    before, after = both
    claims = {name for name in before if name[0] == "PersistentVolumeClaim"}
    assert claims <= after.keys()
    for name in claims:
        ours, theirs = (things[name]["metadata"].get("annotations", {}) for things in (after, before))
        assert ours.get("helm.sh/resource-policy") == theirs.get("helm.sh/resource-policy")


def test_the_names_that_runs_rely_on_stay(both):
    before, after = both
    relied_on = {("ServiceAccount", "phase2-runner"), ("ConfigMap", "phase2-store"), ("Role", "phase2-submitter")}
    assert relied_on <= before.keys() & after.keys()


def values(text):
    """Every value of a chart by its path."""
    found, left = {}, [("", yaml.safe_load(text))]
    while left:
        path, value = left.pop()
        if isinstance(value, dict) and value:
            left += [(f"{path}.{key}" if path else key, item) for key, item in value.items()]
        else:
            found[path] = value
    return found


def test_the_page_names_every_value_that_is_gone_or_has_another_default():
    with tarfile.open(RELEASED) as archive:
        before = values(archive.extractfile("phase2-runner/values.yaml").read())
    after = values((CHART / "values.yaml").read_text())
    page = (PROJECT / "docs" / "how-to" / "upgrade.md").read_text()
    other = {path for path, value in before.items() if path not in after or after[path] != value}
    assert {path for path in other if f"`{path}" not in page} == set()


def test_the_comparison_notices_a_change(helm):
    text = helm("template", "phase2", CHART, "--namespace", "phase2").stdout
    before, after = by_name(text), by_name(text.replace("ReadWriteOnce", "ReadWriteMany"))
    name = ("PersistentVolumeClaim", "phase2-data-cache")
    assert immutable(before[name]) != immutable(after[name])
