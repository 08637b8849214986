"""``phase2 submit``, ``status``, ``logs`` and ``cancel`` against a real API server, and what it rejects."""

import copy
import json
import re
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from tests.on_cluster.lab.waiting import wait_until
from tests.on_cluster.support.runs import EPOCHS, SMALL, TRAINING, epochs_of
from tests.on_cluster.support.users import MAY_NOTHING, NAMESPACE

from phase2.cli import main
from phase2.cluster.api.client import RunClient
from phase2.cluster.api.connection import Connection
from phase2.cluster.backends.registry import CLUSTER_BACKENDS
from phase2.cluster.request.image import Image

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

SUBMIT = ["submit", *TRAINING, *SMALL]

GOLDEN = sorted((Path(__file__).parents[1] / "cluster" / "manifests" / "golden").glob("*.yaml"))


# A run that succeeds ------------------------------------------------------------------------------------------------


def test_a_run_is_submitted_watched_and_published(runs, bucket, reference_run):
    result, watched = reference_run.submitted, reference_run.watched.result()
    assert result.code == 0
    said = r"note: time: about [^\n]+ without a GPU, by [^\n]+\nnote: cost: about [^\n]+ core hours\n"
    assert re.fullmatch(said, result.errors), result.errors
    assert result.out.startswith(f"run: {reference_run.run_id}\nsubmitted: ")
    assert watched.code == 0, watched.errors
    assert len(runs.jobs(reference_run.run_id)) == 1
    assert epochs_of(watched.out) == EPOCHS
    assert watched.errors.splitlines()[-1].startswith("succeeded: succeeded after ")
    manifest = runs.published(reference_run.run_id, bucket).manifest
    assert manifest.code.image_digest == Image.parse(runs.image).digest
    assert manifest.place.node == runs.cluster.node
    logged = runs.phase2("logs", reference_run.run_id)
    assert logged.out in watched.out


def test_watching_ends_with_the_exit_code_of_the_run(runs):
    result = runs.submit(runs.id("no-bucket-watched"), "--store", "s3://no-such-bucket-at-all", "--watch")
    assert result.code == 2
    assert "failed with exit code 2: " in result.errors.splitlines()[-1]
    assert "no-such-bucket-at-all" in result.errors.splitlines()[-1]


# Responses of the server --------------------------------------------------------------------------------------------


@pytest.fixture
def dry_run(cluster):
    """Let the API server validate a Job without creating it; returns its warnings."""

    def check(job):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KUBECONFIG", cluster.kubeconfig)
            warnings: list[str] = []
            client = RunClient(Connection.open(on_warning=warnings.append), cluster.namespace, CLUSTER_BACKENDS["job"])
        job["metadata"]["namespace"] = cluster.namespace
        client.create(job, dry_run=True)
        return warnings

    return check


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_the_server_accepts_a_golden_job_without_a_warning(file, dry_run):
    assert dry_run(yaml.safe_load(file.read_text())) == []


def test_the_server_would_warn_of_a_job_that_may_run_as_root(dry_run):
    job = copy.deepcopy(yaml.safe_load(GOLDEN[0].read_text()))
    job["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] = False
    assert "would violate PodSecurity" in "".join(dry_run(job))


def test_the_role_of_submitters_is_enough(cli):
    code, out, err = cli(*SUBMIT, "--run-id", "plain")
    assert (code, "submitted: " in out) == (0, True), err
    state = _settled(cli, "plain", "blocked")
    assert state["sentence"] == (
        f"cannot start: the ConfigMap 'phase2-store' is missing in the namespace {NAMESPACE}; create it: kubectl "
        f"-n {NAMESPACE} create configmap phase2-store --from-env-file=/dev/stdin"
    )
    code, _, err = cli("logs", "plain")
    assert (code, "has printed nothing yet" in err) == (2, True)
    code, out, _ = cli("status")
    assert (code, "plain" in out) == (0, True)
    code, out, _ = cli("cancel", "plain", "--yes", "--json")
    assert (code, json.loads(out)["outcome"]) == (0, "cancelled")
    assert _settled(cli, "plain", "cancelled")["sentence"] == "was cancelled"


@pytest.mark.slow
def test_a_run_that_is_being_stopped_is_not_reported_as_running(runs):
    run_id = runs.id("impatient")
    assert runs.submit(run_id, "--epochs", "500").code == 0
    runs.wait_for_epoch(run_id, 1)
    assert runs.phase2("cancel", run_id, "--yes").code == 0
    result = runs.phase2("submit", "--resume", run_id)
    assert result.code == 75 or "submitted again" in result.out, result
    assert "already submitted" not in result.out
    runs.remove(run_id)


def test_without_permission_each_command_names_the_required_role(cli):
    for words in (SUBMIT, ["status"], ["logs", "a"], ["cancel", "a", "--yes"]):
        code, _, err = cli(*words, user=MAY_NOTHING)
        assert code == 2
        assert f"error: You may not {'create' if words[0] == 'submit' else 'list'}" in err
        assert f"knows you as 'system:serviceaccount:{NAMESPACE}:{MAY_NOTHING}'" in err
        assert "phase2-submitter" in err


def test_another_request_with_the_same_id_is_refused(cli):
    words = [*SUBMIT, "--run-id", "taken"]
    assert cli(*words)[0] == 0
    code, out, err = cli(*words, "--memory", "4Gi")
    assert (code, "already submitted" in out, "other resources" in err) == (0, True, True)
    code, _, err = cli(*words, "--seed", "7")
    assert (code, "belongs to another request" in err) == (2, True)


def test_a_failed_run_is_submitted_again_with_its_id(cli, cluster):
    words = [*SUBMIT, "--run-id", "again", "--retries", "0", "--deadline", "1s"]
    assert cli(*words)[0] == 0
    _settled(cli, "again", "failed")
    uid = cluster.batch.read_namespaced_job("phase2-again", NAMESPACE).metadata.uid
    code, out, _ = cli("submit", "--resume", "again")
    assert (code, "submitted again" in out) == (0, True)
    made = cluster.batch.read_namespaced_job("phase2-again", NAMESPACE)
    assert made.metadata.uid != uid
    assert made.spec.backoff_limit == 0  # its options were recorded


def test_a_quota_on_jobs_is_transient_and_one_on_memory_is_in_the_status(cli, users):
    hard = {"count/jobs.batch": "4", "limits.memory": "16Gi"}
    with _quota(users, hard):
        code, _, err = cli(*SUBMIT, "--run-id", "too-large", "--memory", "64Gi")
        assert code == 0, err
        sentence = _settled(cli, "too-large", "blocked")["sentence"]
        assert "the quota 'small' of the namespace is exceeded: limits.memory (64Gi asked" in sentence
        codes = [cli(*SUBMIT, "--run-id", f"one-of-{k}") for k in range(4)]
        assert codes[-1][0] == 75
        assert "count/jobs.batch (1 asked, 4 of 4 in use)" in codes[-1][2]


def test_the_message_of_an_admission_policy_is_printed(cli, users):
    users.apply(*_policy("phase2-users-images", "cgcnn is out of fashion"))
    try:
        wait_until(lambda: cli(*SUBMIT, "--run-id", "old-fashioned")[0] == 2, "the policy", 120)
        code, _, err = cli(*SUBMIT, "--run-id", "old-fashioned")
    finally:
        for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
            users.cluster.kubectl("delete", kind, "phase2-users-images")
        # A Job that was accepted before the policy was in force takes cores from other tests.
        users.cluster.kubectl("delete", "job", "phase2-old-fashioned", "--namespace", NAMESPACE, "--ignore-not-found")
    assert code == 2
    assert "the admission policy 'phase2-users-images' of the cluster denies it" in err
    assert "cgcnn is out of fashion" in err


def test_a_missing_priority_class_is_in_the_status(cli):
    assert cli(*SUBMIT, "--run-id", "urgent", "--priority", "urgent")[0] == 0
    sentence = _settled(cli, "urgent", "blocked")["sentence"]
    assert sentence == "gets no pod: no PriorityClass with name urgent was found"


def test_a_missing_gpu_is_in_the_status(cli):
    assert cli(*SUBMIT, "--run-id", "on-gpu", "--gpus", "1")[0] == 0
    sentence = _settled(cli, "on-gpu", "blocked")["sentence"]
    assert sentence.startswith("cannot be scheduled on any node: 0/1 nodes are available: ")
    assert "1 Insufficient nvidia.com/gpu" in sentence


def test_a_run_in_a_queue_without_a_controller_waits_and_can_be_cancelled(cli):
    assert cli(*SUBMIT, "--run-id", "queued", "--queue", "gpu")[0] == 0
    assert _settled(cli, "queued", "queued")["sentence"] == "waits for the queue 'gpu' to admit it"
    assert cli("cancel", "queued", "--yes")[0] == 0
    code, _, err = cli("status", "queued")
    assert (code, "no run 'queued'" in err) == (2, True)


def test_a_missing_argo_installation_is_reported_and_jobs_are_listed(cli):
    code, _, err = cli(*SUBMIT, "--backend", "argo", "--run-id", "no-argo")
    assert (code, "Argo Workflows is not installed in this cluster." in err) == (2, True), err
    assert cli("status")[0] == 0
    code, _, err = cli("status", "no-argo")
    assert (code, "There is no run 'no-argo'" in err) == (2, True), err


def test_a_missing_namespace_is_reported(cluster, image, monkeypatch, capsys):
    monkeypatch.setenv("KUBECONFIG", cluster.kubeconfig)
    assert main([*SUBMIT, "--image", image, "--namespace", "nowhere"]) == 2
    assert "There is no namespace 'nowhere' in this cluster." in capsys.readouterr().err


def test_a_cancelled_run_saves_and_resumes(runs, bucket, resumed):
    found = resumed.result()
    assert (found.cancelled.code, f"phase2 submit --resume {found.run_id}" in found.cancelled.out) == (0, True)
    assert found.followed.code == 0
    assert found.followed.errors.splitlines()[-1] == "cancelled: was cancelled"
    assert found.state == "cancelled"
    assert found.resumed.code == 0, found.resumed.errors
    assert "continued from epoch" in found.resumed.out
    manifest = runs.published(found.run_id, bucket).manifest
    assert [attempt.outcome for attempt in manifest.attempts] == ["interrupted", "finished"]


# ---------------------------------------------------------------------------------------------------------------------


def _settled(cli, run_id, state):
    """Wait until a run is in a state; returns its state as ``phase2 status --json``."""
    found = {}

    def reached():
        code, out, err = cli("status", run_id, "--json")
        assert code == 0, err
        found.update(json.loads(out))
        return found["state"] == state

    wait_until(reached, f"{run_id} to be {state}", 120, lambda: found)
    return found


@contextmanager
def _quota(users, hard):
    """Set a quota of the namespace for the duration of a block; existing Jobs are deleted."""

    def is_counted():
        status = users.cluster.core.read_namespaced_resource_quota("small", NAMESPACE).status
        return status.used is not None and status.used.get("count/jobs.batch") == "0"

    users.kubectl("delete", "jobs", "--all")
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small", "namespace": NAMESPACE}}
    users.apply(quota | {"spec": {"hard": hard}})
    try:
        wait_until(is_counted, "the quota to be counted", 120)
        yield
    finally:
        users.kubectl("delete", "resourcequota", "small")
        users.kubectl("delete", "jobs", "--all")


def _policy(name, message):
    """Return a policy that rejects one run: the server applies it for a moment after it was deleted."""
    rule = {"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}
    expression = "object.metadata.labels['phase2.dev/run-id'] != 'old-fashioned'"
    here = {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}
    about = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    yield about | {
        "kind": "ValidatingAdmissionPolicy",
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": expression, "message": message}],
        },
    }
    yield about | {
        "kind": "ValidatingAdmissionPolicyBinding",
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": here},
        },
    }
