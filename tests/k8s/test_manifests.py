"""Manifests of k8s/ as kustomize builds them: names, rights, secrets, and what they let through."""

import re
from pathlib import Path

import pytest
import yaml
from tests.cluster.support.pod_security import violations

from phase2.cluster.labels import COMPONENT_LABEL, NAME_LABEL
from phase2.cluster.plan import SERVICE_ACCOUNT, STORE_CONFIG_MAP
from phase2.cluster.run_state import SWEEP
from phase2.config.levels import ALGORITHMS, MODES
from phase2.storage.s3.settings import S3Settings
from phase2.storage.urls import open_store

ROOT = Path(__file__).parents[2] / "k8s"
GOLDEN = Path(__file__).parent / "golden"
OVERLAYS = ["kind", "gpu"]
COMPONENTS = ["minio", "kueue", "policy", "owners"]
FOLDERS = ["base", *(f"overlays/{name}" for name in OVERLAYS), *(f"components/{name}" for name in COMPONENTS)]

# What people who submit may do; everything else in the namespace is for its administrators.
RIGHTS = {
    "jobs": {"create", "get", "list", "watch", "patch", "delete"},
    "pods": {"get", "list", "watch"},
    "pods/log": {"get"},
    "events": {"get", "list", "watch"},
    "configmaps": {"get"},
    "services": {"get"},
}


def named(things, kind, name=None):
    (found,) = [t for t in things if t["kind"] == kind and name in (None, t["metadata"]["name"])]
    return found


@pytest.mark.parametrize("name", OVERLAYS)
def test_overlays_are_the_golden_ones(kustomize, name):
    assert kustomize(f"overlays/{name}") == (GOLDEN / f"{name}.yaml").read_text(), (
        f"If this is meant: python -m tools.programs.kustomize build k8s/overlays/{name} > tests/k8s/golden/{name}.yaml"
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_folder_holds_a_secret(kustomize, objects, folder):
    assert all(thing["kind"] != "Secret" for thing in objects(folder))
    assert not re.search(r"(?im)^.*(secret|password|access_key)\w*: *\S.*$", kustomize(folder))


@pytest.mark.parametrize("folder", FOLDERS)
def test_namespaces_enforce_restricted_pods(objects, folder):
    namespaces = [thing for thing in objects(folder) if thing["kind"] == "Namespace"]
    assert namespaces
    for namespace in namespaces:
        labels = namespace["metadata"]["labels"]
        assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "warn", "audit")} == {"restricted"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_pods_are_restricted_and_have_no_token(objects, folder):
    for thing in objects(folder):
        if thing["kind"] == "Deployment":
            pod = thing["spec"]["template"]["spec"]
            assert list(violations(pod)) == []
            assert pod["automountServiceAccountToken"] is False
            assert all(c["securityContext"]["readOnlyRootFilesystem"] for c in pod["containers"])
            assert all(c["resources"]["limits"]["memory"] for c in pod["containers"])


def test_rights_are_the_least(objects):
    things = objects("base")
    rules = named(things, "Role", "phase2-submitter")["rules"]
    granted = {resource: set(rule["verbs"]) for rule in rules for resource in rule["resources"]}
    assert granted == RIGHTS
    binding = named(things, "RoleBinding", "phase2-submitter")
    assert binding["roleRef"]["name"] == "phase2-submitter"
    assert [subject["kind"] for subject in binding["subjects"]] == ["Group"]
    assert not any(thing["kind"].startswith("ClusterRole") for thing in things)


def test_runner_is_nobody(objects):
    things = objects("base")
    assert named(things, "ServiceAccount", SERVICE_ACCOUNT)["automountServiceAccountToken"] is False
    bound = [s["name"] for t in things if t["kind"] == "RoleBinding" for s in t["subjects"]]
    assert SERVICE_ACCOUNT not in bound


def references(things):
    """Every object that another one names, by kind."""
    for thing in things:
        kind = thing["kind"]
        if kind in ("RoleBinding", "ClusterRoleBinding"):
            yield thing["roleRef"]["kind"], thing["roleRef"]["name"]
        if kind.endswith("AdmissionPolicyBinding"):
            yield kind.removesuffix("Binding"), thing["spec"]["policyName"]
        if kind == "LocalQueue":
            yield "ClusterQueue", thing["spec"]["clusterQueue"]
        if kind == "ClusterQueue":
            yield from (("ResourceFlavor", f["name"]) for g in thing["spec"]["resourceGroups"] for f in g["flavors"])
        if kind == "Deployment":
            volumes = thing["spec"]["template"]["spec"]["volumes"]
            claims = [v["persistentVolumeClaim"]["claimName"] for v in volumes if "persistentVolumeClaim" in v]
            yield from (("PersistentVolumeClaim", claim) for claim in claims)
        if kind == "Service" and thing["spec"].get("clusterIP") != "None":
            yield "Deployment", thing["spec"]["selector"]["app.kubernetes.io/name"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_name_that_is_used_exists(objects, folder):
    things = objects(folder)
    there = {(thing["kind"], thing["metadata"]["name"]) for thing in things}
    assert set(references(things)) <= there
    namespaces = {name for kind, name in there if kind == "Namespace"}
    assert {t["metadata"]["namespace"] for t in things if "namespace" in t["metadata"]} <= namespaces


def test_nothing_is_reached_unless_it_is_named(objects):
    policies = {t["metadata"]["name"]: t["spec"] for t in objects("base") if t["kind"] == "NetworkPolicy"}
    assert policies["phase2-deny-all"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    among = [{"podSelector": policies["phase2-group"]["podSelector"]}]
    assert policies.pop("phase2-group")["ingress"] == [{"from": among}]
    assert not any("ingress" in policy for policy in policies.values())
    ports = {p["port"] for policy in policies.values() for rule in policy.get("egress", []) for p in rule["ports"]}
    assert ports == {53, 443}
    blocks = [to["ipBlock"] for to in policies["phase2-store"]["egress"][0]["to"]]
    assert all(block["except"] for block in blocks)  # the metadata services of clouds


@pytest.mark.parametrize("folder", FOLDERS)
def test_pods_that_train_are_those_that_reach_the_store(objects, folder):
    chosen = [
        t["spec"]["podSelector"]["matchLabels"]
        for t in objects(folder)
        if t["kind"] == "NetworkPolicy" and t["metadata"]["name"] in ("phase2-store", "phase2-minio")
    ]
    assert chosen
    assert all(labels == {NAME_LABEL: "phase2", COMPONENT_LABEL: "training"} for labels in chosen)


@pytest.mark.parametrize("folder", ["base", "overlays/kind", "overlays/gpu"])
def test_settings_of_the_store_are_understood(objects, folder):
    data = named(objects(folder), "ConfigMap", STORE_CONFIG_MAP)["data"]
    assert open_store(data["PHASE2_STORE"], S3Settings.from_environment(data)).url == data["PHASE2_STORE"]
    assert S3Settings.from_environment(data).path_style == (folder == "overlays/kind")


def variables(things):
    spec = named(things, "ValidatingAdmissionPolicy", "phase2-jobs")["spec"]
    return {v["name"]: v["expression"] for v in spec["variables"]}


def test_policy_knows_the_levels_table(objects):
    found = variables(objects("components/policy"))
    assert yaml.safe_load(found["algorithms"]) == list(ALGORITHMS)
    assert yaml.safe_load(found["modes"]) == [*MODES, SWEEP]


def test_policy_approves_no_image_until_it_is_told_one(objects):
    things = objects("components/policy")
    assert (variables(things)["approved"], variables(things)["byDigest"]) == ("[]", "true")
    for name in ("phase2-jobs", "phase2-workloads", "phase2-owners"):
        assert named(things, "ValidatingAdmissionPolicy", name)["spec"]["failurePolicy"] == "Fail"
        assert named(things, "ValidatingAdmissionPolicyBinding", name)["spec"]["validationActions"] == ["Deny"]


@pytest.mark.parametrize(("overlay", "by_digest"), [("kind", "false"), ("gpu", "true")])
def test_overlays_tell_the_policy_their_image(objects, overlay, by_digest):
    found = variables(objects(f"overlays/{overlay}"))
    assert all(name.endswith("/phase2") for name in yaml.safe_load(found["approved"]))
    assert found["byDigest"] == by_digest
