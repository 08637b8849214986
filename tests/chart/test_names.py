"""Names, labels and annotations that values give, and several releases in one cluster that do not meet."""

import pytest
from tests.chart.test_choices import CLUSTER_SCOPED

from phase2.cluster.manifests.group import SERVICE
from phase2.cluster.plan import CA_CONFIG_MAP, CACHE_CLAIM, SERVICE_ACCOUNT, STORE_CONFIG_MAP
from phase2.cluster.request.resources import STORE_SECRET

from .rendering import PROFILES, named, of_kind

COMMON = ("--set", "commonLabels.team=materials", "--set", "commonAnnotations.contact=ada")
FIXED = {
    SERVICE_ACCOUNT, STORE_CONFIG_MAP, STORE_SECRET, CA_CONFIG_MAP, CACHE_CLAIM, "phase2-artifacts", "phase2-executor",
    "phase2-executor.service-account-token", "phase2-nightly", "phase2-clean", "phase2-nightly-page", "phase2-test",
    "phase2-test-claims", SERVICE,
}  # fmt: skip
"""Names that ``phase2 submit``, the workflows and people look up, beside those of the WorkflowTemplates."""


def pod_metadata(things):
    """The metadata of what the release makes by itself, by the name of its maker."""
    for one in things:
        spec, name = one.get("spec", {}), f"{one['kind']}/{one['metadata']['name']}"
        if one["kind"] in ("Deployment", "Job"):
            yield name, spec["template"]["metadata"]
        elif one["kind"] == "CronJob":
            yield name, spec["jobTemplate"]["metadata"]
            yield name, spec["jobTemplate"]["spec"]["template"]["metadata"]
        elif one["kind"] == "WorkflowTemplate":
            yield name, spec["podMetadata"]
        elif one["kind"] == "Pod":
            yield name, one["metadata"]


def test_every_object_and_every_pod_gets_the_common_labels_and_annotations(helm, profile):
    things = helm.objects(profile, *COMMON)
    made = [(f"{one['kind']}/{one['metadata']['name']}", one["metadata"]) for one in things]
    assert len(made) > 8
    for name, metadata in [*made, *pod_metadata(things)]:
        assert metadata["labels"]["team"] == "materials", name
        assert metadata["annotations"]["contact"] == "ada", name


def test_common_labels_replace_none(helm, profile):
    keys = ("part-of", "name", "component", "managed-by")
    words = [word for key in keys for word in ("--set", rf"commonLabels.app\.kubernetes\.io/{key}=other")]
    for one, before in zip(helm.objects(profile, *words), helm.objects(profile), strict=True):
        there = before["metadata"]["labels"]
        assert one["metadata"]["labels"].items() >= there.items()
    pairs = zip(pod_metadata(helm.objects(profile, *words)), pod_metadata(helm.objects(profile)), strict=True)
    for (name, ours), (_, before) in pairs:
        assert ours["labels"].items() >= before["labels"].items(), name


def test_an_own_name_begins_the_names_that_no_program_looks_up(helm, profile):
    before = {(one["kind"], one["metadata"]["name"]) for one in helm.objects(profile)}
    after = {(one["kind"], one["metadata"]["name"]) for one in helm.objects(profile, "--set", "nameOverride=lab")}
    kept = {name for _, name in before & after if not name.startswith("minio")}
    templates = set(of_kind(helm.objects(profile), "WorkflowTemplate", "LocalQueue"))
    assert kept <= FIXED | templates | {"phase2-runs"}
    assert {name.replace("phase2", "lab", 1) for _, name in before - after} == {name for _, name in after - before}
    assert ("Role", "lab-submitter") in after


def test_references_to_renamed_objects_follow(helm):
    things = helm.objects("existing-s3", "--set", "nameOverride=lab")
    roles = set(of_kind(things, "Role"))
    assert {one["roleRef"]["name"] for one in of_kind(things, "RoleBinding").values()} == roles
    policies = set(of_kind(things, "ValidatingAdmissionPolicy"))
    bindings = of_kind(things, "ValidatingAdmissionPolicyBinding").values()
    assert {one["spec"]["policyName"] for one in bindings} == policies


# Several releases -----------------------------------------------------------------------------------------------------


def cluster_scoped(things):
    return {(one["kind"], one["metadata"]["name"]) for one in things if one["kind"] in CLUSTER_SCOPED}


@pytest.mark.parametrize("profile", sorted(PROFILES.keys() - {"locked-down", "namespaced"}))
def test_two_releases_share_no_cluster_scoped_name_and_none_selects_the_other_s_namespace(helm, profile):
    first, second = (helm.objects(profile, "--namespace", namespace) for namespace in ("phase2", "team-b"))
    ours, theirs = cluster_scoped(first), cluster_scoped(second)
    assert len(ours) == len(theirs) >= 3
    assert not ours & theirs
    assert theirs == {(kind, f"{name}-team-b") for kind, name in ours}
    for things, namespace in ((first, "phase2"), (second, "team-b")):
        for binding in of_kind(things, "ValidatingAdmissionPolicyBinding").values():
            selector = binding["spec"]["matchResources"]["namespaceSelector"]
            assert selector == {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
            assert binding["spec"]["policyName"] == binding["metadata"]["name"]
        for one in things:
            assert one["kind"] in CLUSTER_SCOPED or one["metadata"]["namespace"] == namespace


def test_a_suffix_that_is_given_is_the_suffix(helm):
    things = [one for one in helm.objects("locked-down", "--namespace", "team") if one["kind"] in CLUSTER_SCOPED]
    assert len(things) >= 13
    assert all(one["metadata"]["name"].endswith("-locked") for one in things)
    jobs = named(things, "ValidatingAdmissionPolicy", "phase2-jobs-locked")
    assert jobs["spec"]["validations"]
