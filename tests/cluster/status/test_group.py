"""State of a run that several pods of an Indexed Job train together."""

import pytest
from tests.cluster.status.test_job import (
    DISRUPTED,
    GIVEN_UP,
    IF_LOST,
    NO_ROOM,
    NOW,
    SILENT,
    a_condition,
    a_job,
    a_pod,
    done,
    failed,
    running,
)

from phase2.cluster.status.group import group_size, of_rank, rank_of
from phase2.cluster.status.job import job_state

INDEX = "batch.kubernetes.io/job-completion-index"


def a_group(*conditions, size=2, **status):
    job = a_job(*conditions, **status)
    job["spec"] |= {"completionMode": "Indexed", "completions": size, "parallelism": size}
    return job


def ranked(rank, pod):
    """A pod of a rank; its number orders the attempts."""
    metadata = pod["metadata"] | {"annotations": {INDEX: str(rank)}}
    metadata["name"] = f"phase2-abc-{rank}-{metadata['name'][-1]}"
    return pod | {"metadata": metadata}


def ended(rank, code, message, at, number=1, **more):
    pod = ranked(rank, failed(code, message, number, **more))
    pod["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"] = f"2026-11-24T12:0{number}:{at:02}Z"
    return pod


UNSCHEDULED = a_pod(
    phase="Pending", node=None, conditions=[a_condition("PodScheduled", "Unschedulable", NO_ROOM, "False")]
)
LOST = "Another process of this run has ended."

STATES = {
    "no pod": ([], "waiting", "waits for its pod to be created", 0),
    "one of two": ([ranked(0, running())], "waiting", "waits for 1 of its 2 pods to be created", 1),
    "both run": (
        [ranked(0, running()), ranked(1, running(node="node-2"))],
        "running",
        "runs as 2 pods on node-1, node-2, attempt 1, 10 min after the start",
        1,
    ),
    "a node that never comes": (
        [ranked(0, running()), ranked(1, UNSCHEDULED)],
        "blocked",
        "1 of 2 pods run; pod 1 cannot be scheduled on any node: 0/1 nodes are available: 1 Insufficient "
        "nvidia.com/gpu",
        1,
    ),
    "a silent node": (
        [
            ranked(0, running()),
            ranked(1, running(conditions=SILENT)),
        ],
        "running",
        "runs as 2 pods; pod 1 runs on node-1, which does not answer: its pod is given up after some minutes, "
        "attempt 1, 10 min after the start",
        1,
    ),
    "a lost node": (
        [ranked(0, running()), ranked(1, running(deleted=True, conditions=SILENT))],
        "blocked",
        f"1 of 2 pods run; pod 1 {GIVEN_UP}; {IF_LOST}",
        1,
    ),
    "one was killed, the other ended": (
        [ended(0, 75, LOST, 31), ended(1, 137, "", 30, reason="OOMKilled")],
        "retrying",
        "waits to start attempt 2; the previous attempt ran out of its 8Gi of memory and was killed (pod 1)",
        1,
    ),
    "one was evicted, both start again": (
        [
            ended(0, 75, LOST, 31),
            ended(1, 143, "Stopped by SIGTERM.", 30, conditions=[DISRUPTED]),
            ranked(0, running(2)),
            ranked(1, running(2)),
        ],
        "running",
        "runs as 2 pods on node-1, attempt 2, 10 min after the start; the previous attempt was evicted from its node, "
        "as when a node is drained (pod 1)",
        2,
    ),
    "the first one has finished": (
        [ranked(0, done()), ranked(1, running())],
        "running",
        "has finished; its Job is being completed",
        1,
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_the_state_of_a_group_is_that_of_the_pod_that_it_waits_for(name):
    pods, state, message, attempt = STATES[name]
    found = job_state(a_group(), pods, now=NOW)
    assert (found.state, found.message, found.attempt) == (state, message, attempt)


def test_a_group_fails_with_the_code_of_the_pod_that_failed_by_itself():
    pods = [ended(0, 75, LOST, 31), ended(1, 3, "The data are damaged.", 32)]
    found = job_state(a_group(a_condition("Failed", "PodFailurePolicy"), failed=2), pods, now=NOW)
    assert (found.state, found.exit_code) == ("failed", 3)
    assert found.message == "failed with exit code 3: The data are damaged. (pod 1)"


def test_the_pod_of_a_group_is_that_of_rank_0():
    pods = [ranked(0, running(1)), ranked(1, running(2, node="node-2"))]
    found = job_state(a_group(active=2), pods, now=NOW)
    assert (found.pod, found.node) == ("phase2-abc-0-1", "node-1")
    assert of_rank(pods, 1) == [pods[1]]
    assert [rank_of(pod) for pod in (*pods, running())] == [0, 1, 0]


@pytest.mark.parametrize(
    ("status", "attempt"), [({"active": 4}, 1), ({"active": 4, "failed": 4}, 2), ({"failed": 9, "active": 3}, 3)]
)
def test_a_group_counts_attempts_and_not_pods(status, attempt):
    assert job_state(a_group(size=4, **status), [], now=NOW).attempt == attempt


@pytest.mark.parametrize(
    ("given", "size"),
    [([], 1), ([{"name": "nodes", "value": "3"}], 3), ([{"name": "nodes", "value": ""}], 1)],
    ids=["not given", "three", "empty"],
)
def test_a_workflow_says_by_its_parameters_how_many_pods_train(given, size):
    spec = {"workflowTemplateRef": {"name": "phase2-train"}, "arguments": {"parameters": given}}
    assert group_size({"spec": spec}) == size
    assert rank_of({"metadata": {"labels": {"phase2.dev/rank": "2"}}}) == 2
