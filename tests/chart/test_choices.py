"""What values switch on and off, and what is said after an installation."""

import base64
import json
from typing import get_args

import pytest
import yaml
from tests.k8s.test_manifests import RIGHTS

from phase2.storage.s3.settings import S3Settings
from tools.manifests.storage.policies import Place, Role

from .rendering import CHART, PROFILES, named, of_kind

CLUSTER_SCOPED = {"PriorityClass", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}


def test_somebody_without_rights_on_the_cluster_installs_nothing_of_it(helm):
    things = helm.objects("namespaced")
    assert all(one["metadata"]["namespace"] == "phase2" for one in things)
    assert not CLUSTER_SCOPED & {one["kind"] for one in things}


def test_everything_else_is_in_the_namespace_of_the_release(helm, profile):
    for one in helm.objects(profile, "--namespace", "elsewhere"):
        assert one["kind"] in CLUSTER_SCOPED or one["metadata"]["namespace"] == "elsewhere"
        assert "kubernetes.io/metadata.name: phase2" not in yaml.safe_dump(one)
        for subject in one.get("subjects", []):
            assert subject.get("namespace", "elsewhere") == "elsewhere"


def test_everything_says_that_helm_brought_it(helm, profile):
    for one in helm.objects(profile):
        labels = one["metadata"]["labels"]
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["app.kubernetes.io/instance"] == "phase2"
        assert labels["app.kubernetes.io/part-of"] == "phase2"


@pytest.mark.parametrize(
    ("profile", "given", "there"),
    [("kind", [], False), ("kind", ["--set", "argo.enabled=true"], True), ("existing-s3", [], True), ("gpu", [], True),
     ("existing-s3", ["--set", "argo.enabled=false"], False), ("no-argo", [], False)],
)  # fmt: skip
def test_argo_is_served_where_values_ask_for_it(helm, profile, given, there):
    things = helm.objects(profile, *given, "--set", "retention.enabled=true", "--set", "page.enabled=true")
    clocks = ("phase2-nightly", "phase2-clean", "phase2-nightly-page")
    crons = {one["kind"] for one in things if one["metadata"]["name"] in clocks}
    assert crons == ({"CronWorkflow"} if there else {"CronJob"})
    names = set(of_kind(things, "Role", "ServiceAccount", "ConfigMap", "NetworkPolicy", "ValidatingAdmissionPolicy"))
    of_argo = {"phase2-executor", "phase2-workflow-submitter", "phase2-artifacts", "phase2-train"}
    assert of_argo & names == (of_argo if there else set())


def test_rights_are_the_least(helm, profile):
    things = helm.objects(profile)
    rules = named(things, "Role", "phase2-submitter")["rules"]
    assert {resource: set(rule["verbs"]) for rule in rules for resource in rule["resources"]} == RIGHTS
    assert not any(one["kind"].startswith("ClusterRole") for one in things)
    bound = [s["name"] for b in of_kind(things, "RoleBinding").values() for s in b["subjects"]]
    assert "phase2-runner" not in bound
    assert named(things, "ServiceAccount", "phase2-runner")["automountServiceAccountToken"] is False


def test_groups_and_users_are_bound(helm):
    words = ["--set", "submitters.users={ada}"]
    for binding in of_kind(helm.objects("locked-down", *words), "RoleBinding").values():
        if binding["metadata"]["name"] not in (
            "phase2-executor",
            "phase2-observer",
            "phase2-test-claims",
            "phase2-maintainer",
        ):
            who = {(one["kind"], one["name"]) for one in binding["subjects"]}
            assert who == {("Group", "materials-team"), ("User", "ada")}


def test_settings_of_the_store_are_understood(helm, profile):
    data = named(helm.objects(profile), "ConfigMap", "phase2-store")["data"]
    settings = S3Settings.from_environment(data)
    endpoints = {
        "kind": "http://minio.phase2.svc.cluster.local:9000",
        "existing-s3": "https://s3.example.com:9443",
    }
    assert settings.endpoint == endpoints.get(profile)
    assert settings.path_style is (profile in endpoints)
    assert data.get("AWS_CA_BUNDLE") == ("/etc/phase2/ca/ca.crt" if profile == "existing-s3" else None)


def test_the_certificate_is_where_pods_look_for_it(helm):
    things = helm.objects("existing-s3")
    text = named(things, "ConfigMap", "phase2-ca")["data"]["ca.crt"]
    assert text.startswith("-----BEGIN CERTIFICATE-----\n")
    assert text.endswith("-----END CERTIFICATE-----\n")
    assert base64.b64decode(named(things, "Secret", "phase2-ca")["data"]["ca.crt"]).decode() == text


def secrets(things):
    return {name: one for name, one in of_kind(things, "Secret").items() if one["type"] == "Opaque"}


def test_an_existing_secret_is_left_alone(helm):
    for profile in PROFILES.keys() - {"kind", "existing-s3", "locked-down"}:
        assert secrets(helm.objects(profile)) == {}


def test_keys_become_the_secret_that_pods_read(helm):
    keys = ["--set", "store.existingSecret=", "--set", "store.accessKeyId=key", "--set", "store.secretAccessKey=word"]
    data = secrets(helm.objects("default", *keys))["phase2-s3"]["data"]
    decoded = {name: base64.b64decode(word).decode() for name, word in data.items()}
    assert decoded == {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "word"}


def test_a_role_of_the_cloud_takes_no_keys(helm):
    things = helm.objects("locked-down")
    assert "data" not in secrets(things)["phase2-s3"]
    assert "eks.amazonaws.com/role-arn" in named(things, "ServiceAccount", "phase2-runner")["metadata"]["annotations"]


def test_the_local_minio_has_one_key_everywhere(helm):
    given = secrets(helm.objects("kind"))
    word = given["minio-root"]["data"]["MINIO_ROOT_PASSWORD"]
    assert base64.b64decode(word) == b"phase2-local-only"
    assert word == given["phase2-s3"]["data"]["AWS_SECRET_ACCESS_KEY"]
    assert given["minio-root"]["data"]["MINIO_ROOT_USER"] == given["phase2-s3"]["data"]["AWS_ACCESS_KEY_ID"]
    things = helm.objects("kind", "--set", "minio.secretAccessKey=another-one")
    hashes = [
        named(these, "Deployment", "minio")["spec"]["template"]["metadata"]["annotations"]["phase2.dev/keys"]
        for these in (helm.objects("kind"), things)
    ]
    assert hashes[0] != hashes[1]


def test_the_local_minio_reads_an_existing_secret(helm):
    things = helm.objects("kind", "--set", "minio.secretAccessKey=", "--set", "minio.existingSecret=minio-keys")
    assert secrets(things) == {}
    pod = named(things, "Deployment", "minio")["spec"]["template"]
    (server,) = pod["spec"]["containers"]
    assert server["envFrom"] == [{"secretRef": {"name": "minio-keys"}}]
    assert "phase2.dev/keys" not in pod["metadata"].get("annotations", {})


def test_pods_reach_name_servers_and_the_store(helm):
    def policies(profile):
        return {name: one["spec"] for name, one in of_kind(helm.objects(profile), "NetworkPolicy").items()}

    own = policies("existing-s3")
    assert [port["port"] for port in own["phase2-store"]["egress"][0]["ports"]] == [9443]
    local = policies("kind")
    (to,) = local["phase2-store-inside"]["egress"][0]["to"]
    assert to["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "phase2"}
    assert to["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "minio"}
    assert local["minio"]["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "minio"}}
    assert local["phase2-deny-all"]["podSelector"] == {}
    shared = policies("namespaced")
    assert shared["phase2-deny-all"]["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "phase2"}}


def test_the_claim_stays_by_policy(helm):
    def annotations(*words):
        return named(helm.objects("default", *words), "PersistentVolumeClaim")["metadata"].get("annotations")

    assert annotations() == {"helm.sh/resource-policy": "keep"}
    assert annotations("--set", "dataCache.keep=false") is None
    assert not of_kind(helm.objects("default", "--set", "dataCache.create=false"), "PersistentVolumeClaim")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "--set argo.enabled=true installs them."),
        (["--set", "argo.enabled=true"], "argo submit argo/phase2.yaml"),
    ],
)
def test_notes_say_whether_there_are_templates_of_workflows(helm, values, words):
    assert words in notes(helm, *values)


def notes(helm, *words):
    done = helm("install", "phase2", CHART, "--namespace", "team", "--dry-run=client", *words)
    return done.stdout.partition("NOTES:")[2]


def test_notes_tell_three_commands_with_the_names_that_were_installed(helm):
    said = notes(helm, "--set", "image.repository=registry.example.com/phase2", "--set", "image.tag=v7")
    assert "kubectl -n team create secret generic phase2-s3" in said
    assert "helm test phase2 -n team" in said
    assert "pods run registry.example.com/phase2:v7" in said
    assert "phase2 submit --namespace team --algorithm e3nn --level lite --watch" in said
    assert "helm uninstall leaves the claim phase2-data-cache, and never touches the bucket." in said
    local = notes(helm, "--values", CHART / "ci" / "kind-values.yaml", "--set", "clusterSuffix=-two")
    assert "create secret" not in local
    assert [line[2] for line in local.splitlines() if line.startswith("  ") and line[3:4] == "."] == ["1", "2", "3"]
    assert [line[2] for line in said.splitlines() if line.startswith("  ") and line[3:4] == "."] == ["1", "2", "3"]
    assert "helm uninstall never touches the bucket." in local
    assert "phase2-local-only" not in local


@pytest.mark.parametrize(
    ("server", "url", "prefix"), [("aws", "s3://materials", ""), ("minio", "s3://materials/a/b/", "a/b/")]
)
def test_policies_of_the_store_are_those_of_its_bucket_and_prefix(helm, server, url, prefix):
    assert "phase2-store-policies" not in of_kind(helm.objects("default"), "ConfigMap")
    things = helm.objects("default", "--set", f"store.policies={server}", "--set", f"store.url={url}")
    found = named(things, "ConfigMap", "phase2-store-policies")["data"]
    assert found.keys() == {f"{role}.json" for role in get_args(Role)}
    for role in get_args(Role):
        assert json.loads(found[f"{role}.json"]) == Place(server, "materials", prefix).policy(role)


@pytest.mark.parametrize(
    ("value", "template", "job"),
    [("retention", "phase2-prune", "phase2-clean"), ("page", "phase2-page", "phase2-nightly-page")],
)
@pytest.mark.parametrize("argo", ["true", "false"])
def test_what_the_clock_starts_has_keys_of_its_own(helm, argo, value, template, job):
    given = ["--set", f"{value}.enabled=true", "--set", f"argo.enabled={argo}"]
    own = helm.objects("existing-s3", *given, "--set", f"{value}.existingSecret=phase2-own")
    same = helm.objects("existing-s3", *given)

    def secrets(things):
        """The Secret of each container that trains or removes, by the name of its maker."""
        found = {}
        for one in things:
            if one["kind"] == "WorkflowTemplate":
                found[one["metadata"]["name"]] = one["spec"]["templateDefaults"]["container"]["envFrom"]
            if one["kind"] == "CronJob":
                pod = one["spec"]["jobTemplate"]["spec"]["template"]["spec"]
                found[one["metadata"]["name"]] = pod["containers"][0]["envFrom"]
        return {name: [e["secretRef"]["name"] for e in sources if "secretRef" in e] for name, sources in found.items()}

    holder = template if argo == "true" else job
    assert secrets(own) == secrets(same) | {holder: ["phase2-own"]}
    assert secrets(same)[holder] != ["phase2-own"]
