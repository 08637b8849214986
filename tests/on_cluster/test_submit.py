"""``phase2 submit``, ``status``, ``logs`` and ``cancel`` against a real API server, and what it refuses."""

import copy
import json
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from tests.on_cluster.lab.waiting import wait_until
from tests.on_cluster.support.runs import EPOCHS, SMALL, TRAINING
from tests.on_cluster.support.users import MAY_NOTHING, NAMESPACE

from phase2.cli import main
from phase2.cluster.api.client import RunClient
from phase2.cluster.api.connection import Connection
from phase2.cluster.backends import CLUSTER_BACKENDS
from phase2.cluster.request.image import Image

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

SUBMIT = ["submit", *TRAINING, *SMALL]

GOLDEN = sorted((Path(__file__).parents[1] / "cluster" / "manifests" / "golden").glob("*.yaml"))


# A run that goes well ------------------------------------------------------------------------------------------------


def test_a_run_is_submitted_watched_and_published(runs, bucket, undisturbed):
    said, watched = undisturbed.submitted, undisturbed.watched.result()
    assert (said.code, said.errors) == (0, "")
    assert said.out.startswith(f"run: {undisturbed.run_id}\nsubmitted: ")
    assert watched.code == 0, watched.errors
    assert len(runs.jobs(undisturbed.run_id)) == 1
    assert f'{{"epoch": {EPOCHS}, ' in watched.out
    assert watched.errors.splitlines()[-1].startswith("succeeded: succeeded after ")
    manifest = runs.published(undisturbed.run_id, bucket).manifest
    assert manifest.code.image_digest == Image.parse(runs.image).digest
    assert manifest.place.node == runs.cluster.node
    logged = runs.phase2("logs", undisturbed.run_id)
    assert logged.out in watched.out


def test_watching_ends_with_the_exit_code_of_the_run(runs):
    said = runs.submit(runs.id("no-bucket-watched"), "--store", "s3://no-such-bucket-at-all", "--watch")
    assert said.code == 2
    assert "failed with exit code 2: " in said.errors.splitlines()[-1]
    assert "no-such-bucket-at-all" in said.errors.splitlines()[-1]


# What the server says ------------------------------------------------------------------------------------------------


@pytest.fixture
def dry_run(cluster):
    """Let the API server check a Job without making it; returns what it warns of."""

    def check(job):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KUBECONFIG", cluster.kubeconfig)
            warnings = []
            client = RunClient(Connection.open(on_warning=warnings.append), cluster.namespace, CLUSTER_BACKENDS["job"])
        job["metadata"]["namespace"] = cluster.namespace
        client.create(job, dry_run=True)
        return warnings

    return check


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_the_server_takes_a_golden_job_without_a_warning(file, dry_run):
    assert dry_run(yaml.safe_load(file.read_text())) == []


def test_the_server_would_warn_of_a_job_that_may_run_as_root(dry_run):
    job = copy.deepcopy(yaml.safe_load(GOLDEN[0].read_text()))
    job["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] = False
    assert "would violate PodSecurity" in "".join(dry_run(job))


def test_the_role_of_submitters_is_enough(say):
    code, out, err = say(*SUBMIT, "--run-id", "plain")
    assert (code, "submitted: " in out) == (0, True), err
    state = _settled(say, "plain", "blocked")
    assert state["sentence"] == "cannot start: the ConfigMap 'phase2-store' is missing in its namespace"
    code, _, err = say("logs", "plain")
    assert (code, "has printed nothing yet" in err) == (2, True)
    code, out, _ = say("status")
    assert (code, "plain" in out) == (0, True)
    code, out, _ = say("cancel", "plain", "--yes", "--json")
    assert (code, json.loads(out)["outcome"]) == (0, "cancelled")
    assert _settled(say, "plain", "cancelled")["sentence"] == "was cancelled"


def test_a_run_that_is_still_being_stopped_is_not_taken_for_one_that_runs(runs):
    run_id = runs.id("impatient")
    assert runs.submit(run_id, "--epochs", "500").code == 0
    runs.wait_for_epoch(run_id, 1)
    assert runs.phase2("cancel", run_id, "--yes").code == 0
    said = runs.phase2("submit", "--resume", run_id)
    assert said.code == 75 or "submitted again" in said.out, said
    assert "already submitted" not in said.out
    runs.remove(run_id)


def test_without_a_right_each_command_says_whom_to_ask(say):
    for words in (SUBMIT, ["status"], ["logs", "a"], ["cancel", "a", "--yes"]):
        code, _, err = say(*words, person=MAY_NOTHING)
        assert code == 2
        assert f"error: You may not {'create' if words[0] == 'submit' else 'list'}" in err
        assert f"knows you as 'system:serviceaccount:{NAMESPACE}:{MAY_NOTHING}'" in err
        assert "phase2-submitter" in err


def test_another_request_with_the_same_id_is_refused(say):
    words = [*SUBMIT, "--run-id", "taken"]
    assert say(*words)[0] == 0
    code, out, err = say(*words, "--memory", "4Gi")
    assert (code, "already submitted" in out, "other resources" in err) == (0, True, True)
    code, _, err = say(*words, "--seed", "7")
    assert (code, "belongs to another request" in err) == (2, True)


def test_a_run_that_failed_is_submitted_again_under_its_id(say, cluster):
    words = [*SUBMIT, "--run-id", "again", "--retries", "0", "--deadline", "1s"]
    assert say(*words)[0] == 0
    _settled(say, "again", "failed")
    uid = cluster.batch.read_namespaced_job("phase2-again", NAMESPACE).metadata.uid
    code, out, _ = say("submit", "--resume", "again")
    assert (code, "submitted again" in out) == (0, True)
    made = cluster.batch.read_namespaced_job("phase2-again", NAMESPACE)
    assert made.metadata.uid != uid
    assert made.spec.backoff_limit == 0  # what it was given is remembered


def test_a_quota_on_jobs_is_worth_another_try_and_one_on_memory_is_seen_in_the_status(say, people):
    hard = {"count/jobs.batch": "4", "limits.memory": "16Gi"}
    with _quota(people, hard):
        code, _, err = say(*SUBMIT, "--run-id", "too-large", "--memory", "64Gi")
        assert code == 0, err
        sentence = _settled(say, "too-large", "blocked")["sentence"]
        assert "the quota 'small' of the namespace is exceeded: limits.memory (64Gi asked" in sentence
        codes = [say(*SUBMIT, "--run-id", f"one-of-{k}") for k in range(4)]
        assert codes[-1][0] == 75
        assert "count/jobs.batch (1 asked, 4 of 4 in use)" in codes[-1][2]


def test_an_admission_policy_is_told_in_its_own_words(say, people):
    people.apply(*_policy("phase2-people-images", "cgcnn is out of fashion"))
    try:
        wait_until(lambda: say(*SUBMIT, "--run-id", "old-fashioned")[0] == 2, "the policy", 120)
        code, _, err = say(*SUBMIT, "--run-id", "old-fashioned")
    finally:
        for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
            people.cluster.kubectl("delete", kind, "phase2-people-images")
        # What came through before the policy was known holds cores that other tests need.
        people.cluster.kubectl("delete", "job", "phase2-old-fashioned", "--namespace", NAMESPACE, "--ignore-not-found")
    assert code == 2
    assert "the admission policy 'phase2-people-images' of the cluster denies it" in err
    assert "cgcnn is out of fashion" in err


def test_a_priority_class_that_is_not_there_is_seen_in_the_status(say):
    assert say(*SUBMIT, "--run-id", "urgent", "--priority", "urgent")[0] == 0
    sentence = _settled(say, "urgent", "blocked")["sentence"]
    assert sentence == "gets no pod: no PriorityClass with name urgent was found"


def test_a_gpu_that_no_node_has_is_seen_in_the_status(say):
    assert say(*SUBMIT, "--run-id", "on-gpu", "--gpus", "1")[0] == 0
    sentence = _settled(say, "on-gpu", "blocked")["sentence"]
    assert sentence.startswith("cannot be placed on any node: 0/1 nodes are available: ")
    assert "1 Insufficient nvidia.com/gpu" in sentence


def test_a_run_in_a_queue_that_nobody_serves_waits_and_can_be_cancelled(say):
    assert say(*SUBMIT, "--run-id", "queued", "--queue", "gpu")[0] == 0
    assert _settled(say, "queued", "queued")["sentence"] == "waits for the queue 'gpu' to admit it"
    assert say("cancel", "queued", "--yes")[0] == 0
    code, _, err = say("status", "queued")
    assert (code, "no run 'queued'" in err) == (2, True)


def test_a_cluster_without_argo_says_so_and_its_jobs_are_seen(say):
    code, _, err = say(*SUBMIT, "--backend", "argo", "--run-id", "no-argo")
    assert (code, "Argo Workflows is not installed in this cluster." in err) == (2, True), err
    assert say("status")[0] == 0
    code, _, err = say("status", "no-argo")
    assert (code, "There is no run 'no-argo'" in err) == (2, True), err


def test_a_namespace_that_is_not_there(cluster, image, monkeypatch, capsys):
    monkeypatch.setenv("KUBECONFIG", cluster.kubeconfig)
    assert main([*SUBMIT, "--image", image, "--namespace", "nowhere"]) == 2
    assert "There is no namespace 'nowhere' in this cluster." in capsys.readouterr().err


def test_a_cancelled_run_saves_and_goes_on_where_it_was(runs, bucket, resumed):
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


def _settled(say, run_id, state):
    """What ``phase2 status`` says once a run is in a state."""
    found = {}

    def reached():
        code, out, err = say("status", run_id, "--json")
        assert code == 0, err
        found.update(json.loads(out))
        return found["state"] == state

    wait_until(reached, f"{run_id} to be {state}", 120, lambda: found)
    return found


@contextmanager
def _quota(people, hard):
    """A quota of the namespace for the length of a block; what was there before is removed."""

    def is_counted():
        status = people.cluster.core.read_namespaced_resource_quota("small", NAMESPACE).status
        return status.used is not None and status.used.get("count/jobs.batch") == "0"

    people.kubectl("delete", "jobs", "--all")
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small", "namespace": NAMESPACE}}
    people.apply(quota | {"spec": {"hard": hard}})
    try:
        wait_until(is_counted, "the quota to be counted", 120)
        yield
    finally:
        people.kubectl("delete", "resourcequota", "small")
        people.kubectl("delete", "jobs", "--all")


def _policy(name, message):
    """A policy that refuses one run: the server goes on applying it for a moment after it is deleted."""
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
