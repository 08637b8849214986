"""``helm test``: it says why a claim has no volume, trains a small run, and leaves nothing behind."""

import runpy

import pytest

from .rendering import CHART, named, of_kind, pod_specs

CLAIMS = "phase2-test-claims"


def hooks(things):
    """The hooks with their events and policies, in the order in which Helm creates them."""
    found = []
    for one in things:
        notes = one["metadata"].get("annotations", {})
        if "helm.sh/hook" in notes:
            weight = int(notes.get("helm.sh/hook-weight", "0"))
            policies = set(notes["helm.sh/hook-delete-policy"].split(","))
            found.append((weight, one["kind"], one["metadata"]["name"], notes["helm.sh/hook"], policies))
    return sorted(found, key=lambda one: one[0])


@pytest.mark.parametrize(("profile", "gpus"), [("kind", None), ("gpu", "1")])
def test_it_trains_checks_and_tidies_up_under_one_id(helm, profile, gpus):
    (container,) = pod_specs(helm.objects(profile))["Job/phase2-test"]["containers"]
    assert container["command"] == ["sh", "-c"]
    (words,) = container["args"]
    assert words.split(" && ") == [
        "phase2 train --algorithm cgcnn --level smoke --max-samples 200 --epochs 2",
        'phase2 runs verify "$PHASE2_RUN_ID"',
        '{ phase2 runs delete "$PHASE2_RUN_ID" --yes || echo "the run of this test stays in the store"; }',
    ]
    (run_id,) = [variable for variable in container["env"] if variable["name"] == "PHASE2_RUN_ID"]
    assert run_id["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.uid"}}
    assert container["resources"]["limits"].get("nvidia.com/gpu") == gpus


def test_the_check_of_claims_has_the_time_to_pull_the_image(helm):
    spec = pod_specs(helm.objects("default", "--set", "test.deadlineSeconds=1500"))[f"Pod/{CLAIMS}"]
    assert spec["activeDeadlineSeconds"] == 1500


def test_the_claims_are_looked_at_first(helm, profile):
    found = hooks(helm.objects(profile))
    tests = [(kind, name) for _, kind, name, event, _ in found if event == "test"]
    assert tests[-2:] == [("Pod", CLAIMS), ("Job", "phase2-test")]
    assert {name for _, name in tests[:-2]} == {CLAIMS}
    assert {kind for kind, _ in tests[:-2]} >= {"ServiceAccount", "Role", "RoleBinding"}


def test_nothing_of_a_test_is_left(helm, profile):
    found = hooks(helm.objects(profile))
    assert all(policies >= {"before-hook-creation", "hook-succeeded"} for *_, policies in found)
    kept = {
        (kind, name) for _, kind, name, event, policies in found if event == "test" and "hook-failed" not in policies
    }
    pods = {(kind, name) for kind, name in kept if kind in ("Pod", "Job")}
    assert pods == {("Job", "phase2-test")}  # what failed is there to be looked at
    after = {(kind, name) for _, kind, name, event, _ in found if event == "post-delete"}
    assert after == pods  # and is replaced by what goes, once the release is uninstalled


def test_what_replaces_a_failed_test_starts_no_pod(helm):
    (job,) = [one for one in helm.objects("default") if one["kind"] == "Job" and "completions" in one["spec"]]
    assert job["spec"]["completions"] == 0
    assert job["spec"]["parallelism"] == 0
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "post-delete"


def test_the_policy_of_jobs_lets_the_test_pass_and_status_leaves_it_out(helm, profile):
    things = helm.objects(profile)
    jobs = [one for one in things if one["kind"] == "Job"]
    assert len(jobs) == 2
    for job in jobs:
        labels = job["metadata"]["labels"]
        assert labels["app.kubernetes.io/component"] == "test"
        assert labels["phase2.dev/mode"] == labels["phase2.dev/level"] == "smoke"
        assert labels["phase2.dev/algorithm"] == "cgcnn"
        assert labels["phase2.dev/run-id"] == "phase2-test"
        pod = job["spec"]["template"]
        assert pod["metadata"]["labels"]["app.kubernetes.io/component"] == "training"  # these reach the store
        assert pod["spec"]["serviceAccountName"] == "phase2-runner"
        assert pod["spec"]["automountServiceAccountToken"] is False


def test_the_account_of_the_check_reads_claims_and_events_of_the_namespace(helm):
    things = helm.objects("default", "--namespace", "team")
    role = named(things, "Role", CLAIMS)
    rights = {resource: rule["verbs"] for rule in role["rules"] for resource in rule["resources"]}
    assert rights == {"persistentvolumeclaims": ["get"], "events": ["list"]}
    (subject,) = named(things, "RoleBinding", CLAIMS)["subjects"]
    assert subject == {"kind": "ServiceAccount", "name": CLAIMS, "namespace": "team"}
    pod = named(things, "Pod", CLAIMS)
    policy = named(things, "NetworkPolicy", CLAIMS)["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()


def test_without_a_shared_cache_there_is_no_claim_to_look_at(helm):
    things = helm.objects("default", "--set", "dataCache.enabled=false")
    assert CLAIMS not in {name for one in ("Pod", "Role", "ServiceAccount") for name in of_kind(things, one)}


def test_the_local_store_has_a_claim_too(helm):
    words = pod_specs(helm.objects("kind"))["Pod/" + CLAIMS]["containers"][0]["args"]
    assert words[1:] == ["phase2-data-cache", "minio"]
    assert words[0] == (CHART / "files" / "claims.py").read_text()


# The check -----------------------------------------------------------------------------------------------------------


def complaint(claim, *events):
    program = runpy.run_path(str(CHART / "files" / "claims.py"))
    return program["complaint"]("cache", claim, list(events))


def claim(phase, **spec):
    return {"spec": spec, "status": {"phase": phase}}


def warning(text):
    return {"type": "Warning", "reason": "ProvisioningFailed", "message": text}


WAITS = {"type": "Normal", "reason": "WaitForFirstConsumer", "message": "waiting for first consumer to be created"}


def test_a_claim_that_is_bound_or_waits_for_its_pod_is_fine():
    assert complaint(claim("Bound", storageClassName="fast", volumeName="pv")) is None
    assert complaint(claim("Bound", storageClassName="fast"), warning("an old failure")) is None
    assert complaint(claim("Pending", storageClassName="fast"), WAITS) is None


def test_no_default_storage_class_is_said_in_words():
    said = complaint(claim("Pending"), WAITS)
    assert "cache has no volume: it names no StorageClass, and this cluster has no default one." in said
    assert "dataCache.storageClass" in said


def test_other_reasons_are_those_of_the_cluster():
    assert "no claim cache" in complaint(None)
    text = 'storageclass.storage.k8s.io "slow" not found'
    said = complaint(claim("Pending", storageClassName="slow"), warning("older"), warning(text))
    assert said == f"The claim cache (StorageClass 'slow') has no volume: {text}"
    assert "its volume is lost" in complaint(claim("Lost", storageClassName="fast", volumeName="pv"))
