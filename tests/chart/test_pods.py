"""Every pod that the chart makes: admitted where Pod Security is restricted, nobody, limited, and without a token."""

import pytest
from tests.argo.manifests import container_templates
from tests.argo.rendering import render_pod
from tests.cluster.support.pod_security import violations

from phase2.cluster.manifests.pod import USER

from .rendering import PROFILES, named, of_kind, pod_specs

MINIO_USER = 10002


@pytest.fixture(scope="module")
def everywhere(helm):
    """All pods of all profiles."""
    return [
        (f"{profile}: {name}", spec) for profile in PROFILES for name, spec in pod_specs(helm.objects(profile)).items()
    ]


def containers(spec):
    return [*spec.get("initContainers", []), *spec["containers"]]


def test_there_are_pods_to_look_at(everywhere):
    names = {name.partition(": ")[2] for name, _ in everywhere}
    assert names == {
        "Job/phase2-test", "Pod/phase2-test-claims", "CronJob/phase2-nightly", "CronJob/phase2-clean",
        "CronJob/phase2-nightly-page", "Deployment/minio", "Deployment/phase2-observer",
    }  # fmt: skip


def test_restricted_pod_security_admits_them(everywhere):
    assert {name: found for name, spec in everywhere if (found := list(violations(spec)))} == {}


def test_they_are_numbered_nobodies(everywhere):
    for name, spec in everywhere:
        wanted = MINIO_USER if name.endswith("minio") else USER
        assert spec["securityContext"]["runAsUser"] == wanted, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not any("runAsUser" in one["securityContext"] for one in containers(spec)), name


def test_they_hold_no_token_and_no_service_s_address(everywhere):
    for name, spec in everywhere:
        # Those that ask the API server.
        asks = name.endswith(("Pod/phase2-test-claims", "Deployment/phase2-observer"))
        assert spec["automountServiceAccountToken"] is asks, name
        assert spec["enableServiceLinks"] is False, name


def test_they_write_to_volumes_alone_and_drop_every_capability(everywhere):
    for name, spec in everywhere:
        for one in containers(spec):
            own = one["securityContext"]
            assert own["readOnlyRootFilesystem"] is True, name
            assert own["allowPrivilegeEscalation"] is False, name
            assert own["capabilities"] == {"drop": ["ALL"]}, name


def test_they_say_what_they_need_and_are_held_to_it(everywhere):
    for name, spec in everywhere:
        for one in containers(spec):
            asked = one["resources"]
            assert asked["requests"].keys() >= {"cpu", "memory"}, name
            assert asked["limits"]["memory"] == asked["requests"]["memory"], name


def test_their_volumes_are_there(everywhere):
    for name, spec in everywhere:
        volumes = {one["name"] for one in spec.get("volumes", [])}
        mounted = {mount["name"] for one in containers(spec) for mount in one.get("volumeMounts", [])}
        assert mounted <= volumes, name


def test_they_end(helm):
    for profile in ("kind", "no-argo"):
        things = helm.objects(profile)
        test, _ = (one["spec"] for one in things if one["kind"] == "Job")
        assert (test["activeDeadlineSeconds"], test["backoffLimit"]) == (900, 0)
        assert test["ttlSecondsAfterFinished"] > 0
        assert named(things, "Pod", "phase2-test-claims")["spec"]["activeDeadlineSeconds"] == 900
        for cron in of_kind(things, "CronJob").values():
            assert cron["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] > 0
            assert cron["spec"]["jobTemplate"]["spec"]["ttlSecondsAfterFinished"] > 0
            assert cron["spec"]["concurrencyPolicy"] == "Replace"


def test_the_nightly_run_has_the_name_of_its_job(helm):
    cron = named(helm.objects("no-argo"), "CronJob", "phase2-nightly")
    template = cron["spec"]["jobTemplate"]
    assert template["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "phase2"
    assert template["spec"]["suspend"] is True
    (train,) = template["spec"]["template"]["spec"]["containers"]
    assert train["args"] == ["train", "--algorithm", "cgcnn", "--level", "smoke"]
    (run_id,) = [one for one in train["env"] if one["name"] == "PHASE2_RUN_ID"]
    assert run_id["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.labels['batch.kubernetes.io/job-name']"
    assert "phase2.dev/run-id" not in template["metadata"]["labels"]


def test_the_clean_up_removes_what_values_say(helm):
    things = helm.objects("no-argo")
    (container,) = pod_specs(things)["CronJob/phase2-clean"]["containers"]
    assert container["args"] == ["runs", "prune", "--yes", "--keep-best", "5", "--older-than", "8w"]


def test_the_page_is_published_with_keys_that_write_no_run(helm):
    things = helm.objects("no-argo", "--set", "page.existingSecret=phase2-page")
    (container,) = pod_specs(things)["CronJob/phase2-nightly-page"]["containers"]
    assert container["args"] == ["runs", "page", "--publish"]
    assert {"secretRef": {"name": "phase2-page"}} in container["envFrom"]
    assert "phase2-s3" not in str(container["envFrom"])


def test_without_a_shared_cache_every_pod_has_its_own(helm):
    words = ["--set", "dataCache.enabled=false"]
    for profile in ("no-argo", "gpu"):
        things = helm.objects(profile, *words)
        assert not of_kind(things, "PersistentVolumeClaim")
        volumes = [volume for spec in pod_specs(things).values() for volume in spec["volumes"]]
        volumes += [one for each in of_kind(things, "WorkflowTemplate").values() for one in each["spec"]["volumes"]]
        caches = [volume for volume in volumes if volume["name"] == "cache"]
        assert caches
        assert all(one == {"name": "cache", "emptyDir": {}} for one in caches)


def test_the_pods_of_workflows_are_as_restricted(helm):
    for template in of_kind(helm.objects("gpu"), "WorkflowTemplate").values():
        inputs = dict.fromkeys(
            ("run-id", "level", "seed", "epochs", "lr", "batch-size", "preset", "max-samples", "split", "set", "queue"),
            "",
        )
        inputs |= {"rows": "[]", "runs": "a", "part": "1", "parts": "1", "pod": "{}", "retry-pod": "{}", "rank": "1"}
        for step in container_templates(template):
            spec = render_pod(template, step, {}, inputs)["spec"]
            assert list(violations(spec)) == []
            main = next(one for one in spec["containers"] if one["name"] == "main")
            assert main["image"] == f"registry.example.com/phase2@sha256:{'0' * 64}"
