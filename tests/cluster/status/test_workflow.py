"""State of a run out of Workflows and their nodes as Argo 4.1 writes them."""

import base64
import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.cluster.status.test_job import (
    GIVEN_UP,
    IF_LOST,
    IMAGE,
    NO_CONFIG_MAP,
    NO_ROOM,
    NO_SECRET,
    SILENT,
    a_condition,
)
from tests.cluster.support.controllers import (
    node,
    workflow_failed,
    workflow_running,
    workflow_status,
    workflow_succeeded,
)

from phase2.cluster.status.workflow import workflow_state

NAME = "phase2-abc"
NOW = datetime(2026, 11, 24, 12, 10, tzinfo=UTC)


def a_workflow(status=None, *, parameters=None, labels=None, annotations=None, **spec):
    given = [{"name": key, "value": word} for key, word in (parameters or {}).items()]
    ours = {"phase2.dev/run-id": "abc", "phase2.dev/algorithm": "cgcnn", "phase2.dev/mode": "smoke"}
    return {
        "kind": "Workflow",
        "metadata": {
            "name": NAME,
            "namespace": "phase2",
            "creationTimestamp": "2026-11-24T11:59:00Z",
            "labels": ours if labels is None else labels,
            "annotations": annotations or {},
        },
        "spec": {"workflowTemplateRef": {"name": "phase2-train"}, "arguments": {"parameters": given}, **spec},
        **({} if status is None else {"status": status}),
    }


def a_pod(of, *, phase="Pending", state=None, conditions=(), name="phase2-abc-train-1", init=None, **metadata):
    """The pod of a node."""
    own = [] if state is None else [{"name": "main", "state": state}]
    return {
        "metadata": {
            "name": name,
            "namespace": "phase2",
            "uid": name,
            "creationTimestamp": "2026-11-24T12:02:00Z",
            "annotations": {"workflows.argoproj.io/node-name": of["name"]},
            **metadata,
        },
        "spec": {
            "nodeName": "node-1",
            "initContainers": [{"name": "init", "image": "argoexec:v4.0.5"}],
            "containers": [{"name": "wait", "image": "argoexec:v4.0.5"}, {"name": "main", "image": IMAGE}],
        },
        "status": {
            "phase": phase,
            "conditions": list(conditions),
            "containerStatuses": own,
            "initContainerStatuses": [] if init is None else [{"name": "init", "state": init}],
        },
    }


def root(phase, kind="Steps", message=""):
    """The node of all steps together."""
    return {"id": NAME, "name": NAME, "displayName": NAME, "type": kind, "phase": phase, "message": message}


HANDLER = node(
    NAME, f"{NAME}.onExit", "Failed", "main: Error (exit code 75): no store", code=75, number=4, templateName="finish"
)
TRAIN = node(NAME, "train", "Pending", number=2)
AGAIN = node(NAME, "train", "Running", attempt=1, number=3)
PREEMPTED = node(NAME, "train", "Failed", "main: Error (exit code 143)", code=143, number=2)
# A killed container leaves no message: Argo records the end of its log instead, which includes lines of Argo itself.
LOG = 'time=2026-11-24T12:02:00Z level=INFO msg="capturing logs" argo=true\n{"epoch": 1, "step": 20}\n'
OOM = f"main: OOMKilled (exit code 137): {LOG}"
OUT_OF_MEMORY = node(NAME, "train", "Failed", OOM, code=137, number=2)
KILLED = node(NAME, "train", "Failed", f"main: Error (exit code 137): {LOG}", code=137, number=2)
DELETED = node(NAME, "train", "Error", "pod deleted", number=2)
LOCK = "Waiting for phase2/ConfigMap/phase2-limits/gpu lock. Lock status: 0/4"
WAITS = node(NAME, "train", "Pending", LOCK, attempt=None, number=2)
UNREACHABLE = "The store s3://phase2/models does not answer: connection refused."
NO_STORE = node(NAME, "validate", "Failed", f"main: Error (exit code 75): {UNREACHABLE}", code=75)
BACKOFF = node(NAME, "validate", "Running", "Backoff for 10 seconds", attempt=None)
# Messages of operator.go and workflowpod.go: the API server's error, which Argo repeats as it is.
QUOTA = (
    'pods "phase2-abc-train-1" is forbidden: exceeded quota: phase2, requested: limits.memory=64Gi, used: '
    "limits.memory=0, limited: limits.memory=32Gi"
)
SECURITY = 'pods "phase2-abc-train-1" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
TOO_LARGE = "the quota 'phase2' of the namespace is exceeded: limits.memory (64Gi asked, 0 of 32Gi in use)"
ITEM = "train(1:batch-size:,epochs:,level:lite,run-id:try-1,seed:2)"
ITEMS = [node(NAME, ITEM.replace("-1,", f"-{k},"), "Running", number=k) for k in range(3)]

KUEUE = [
    {
        "reason": "Pending",
        "message": "couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in flavor "
        "a100, 1 more needed",
        "involvedObject": {"kind": "Workload", "namespace": "phase2", "name": f"pod-{name}"},
        "lastTimestamp": f"2026-11-24T12:0{number}:00Z",
    }
    for number, name in enumerate(("phase2-abc-train-1-5c1f0", "phase2-abc-train-1-0-5c1f0", "phase2-abc-train-5c1f0"))
]  # fmt: skip

LOST = a_pod(AGAIN, phase="Running", state={"running": {}}, deletionTimestamp="2026-11-24T12:09:00Z", conditions=SILENT)
ACTIVE = {
    "created long ago": (
        None, [], "queued",
        "waits for Argo's controller to start it, which takes seconds: the controller is not running, does not "
        "watch the namespace phase2, or has an account that the admission policies do not know (argo.controllers of "
        "the chart)",
    ),
    "too many": (
        workflow_status("Pending", message="Workflow processing has been postponed because too many are running"), [],
        "waiting", "waits: Workflow processing has been postponed because too many are running",
    ),
    "pending": (workflow_status("Pending"), [], "waiting", "waits for its first step"),
    "no node yet": (workflow_status("Running"), [], "waiting", "waits for its next step"),
    "in a queue for a GPU": (workflow_status("Running", WAITS), [], "waiting", f"waits in the step train: {LOCK}"),
    "starting": (workflow_status("Running", TRAIN), [], "waiting", "is being started, step train"),
    "no image": (
        workflow_status("Running", node(NAME, "train", "Pending", "ErrImagePull: not found", number=2)), [],
        "blocked", "waits for its image, which cannot be pulled: not found in the registry, step train",
    ),
    "no image, by its pod": (
        workflow_status("Running", TRAIN),
        [a_pod(TRAIN, state={"waiting": {"reason": "ErrImagePull", "message": "x: not found"}})],
        "blocked", f"waits for its image: {IMAGE} cannot be pulled: not found in the registry, step train",
    ),
    "no GPU": (
        workflow_status("Running", TRAIN),
        [a_pod(TRAIN, conditions=[a_condition("PodScheduled", "Unschedulable", NO_ROOM, "False")])],
        "blocked",
        "cannot be scheduled on any node: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu, step train",
    ),
    "running": (
        workflow_running(NAME), [],
        "running", "runs, step train, attempt 1, progress 2/5, 10 min after the start",
    ),
    "running, by its pod": (
        workflow_status("Running", AGAIN), [a_pod(AGAIN, phase="Running", state={"running": {}})],
        "running", "runs on node-1, step train, attempt 2, progress 2/5, 10 min after the start",
    ),
    "after an OOM": (
        workflow_status("Running", OUT_OF_MEMORY, AGAIN), [],
        "running", "runs, step train, attempt 2, progress 2/5, 10 min after the start; "
        "the previous attempt ran out of its memory and was killed in the step train",
    ),
    "after a SIGKILL": (
        workflow_status("Running", KILLED, AGAIN), [],
        "running", "runs, step train, attempt 2, progress 2/5, 10 min after the start; "
        "the previous attempt was killed (SIGKILL) in the step train",
    ),
    "evicted": (
        workflow_status("Running", DELETED, node(NAME, "train", "Pending", attempt=1, number=3)), [],
        "retrying", "is being started, step train; the previous attempt was lost in the step train: pod deleted",
    ),
    "in between": (
        workflow_status("Running", PREEMPTED), [],
        "retrying", "waits for its next attempt; the previous one was stopped (SIGTERM) in the step train",
    ),
    "an unreachable bucket": (
        workflow_status("Running", NO_STORE, BACKOFF), [],
        "retrying", "waits 10 seconds for its next attempt; the previous one failed with exit code 75 in the step "
        f"validate: {UNREACHABLE}",
    ),
    "between steps, of which one was retried": (
        workflow_status(
            "Running",
            NO_STORE | {"name": f"{NAME}[0].validate(0)"},
            node(NAME, "validate", "Succeeded", attempt=1, code=0) | {"name": f"{NAME}[0].validate(1)"},
        ), [],
        "waiting", "waits for its next step",
    ),
    "no Secret, by its node": (
        workflow_status(
            "Running", node(NAME, "validate", "Pending", 'CreateContainerConfigError: secret "phase2-s3" not found')
        ), [],
        "blocked", NO_SECRET,
    ),
    "no Secret, by its pod": (
        workflow_status("Running", TRAIN),
        [a_pod(TRAIN, state={"waiting": {"reason": "CreateContainerConfigError",
                                         "message": 'secret "phase2-s3" not found'}})],
        "blocked", NO_SECRET,
    ),
    "no ConfigMap": (
        workflow_status(
            "Running", node(NAME, "train", "Pending", 'CreateContainerConfigError: configmap "phase2-store" not found')
        ), [],
        "blocked", NO_CONFIG_MAP,
    ),
    "initializing, by its node": (
        workflow_status("Running", node(NAME, "train", "Pending", "PodInitializing")), [],
        "waiting", "is being started, step train",
    ),
    "no image of Argo": (
        workflow_status("Running", TRAIN),
        [a_pod(TRAIN, state={"waiting": {"reason": "PodInitializing"}},
               init={"waiting": {"reason": "ImagePullBackOff", "message": "dial tcp: lookup quay.io: no such host"}})],
        "blocked", "waits for its image: argoexec:v4.0.5 cannot be pulled: the registry's host name does not exist, "
        "step train",
    ),
    "no room, by its node": (
        workflow_status("Running", node(NAME, "train", "Pending", f"Unschedulable: {NO_ROOM}")), [],
        "blocked",
        "cannot be scheduled on any node: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu, step train",
    ),
    "over the quota": (
        workflow_status("Running", node(NAME, "train", "Pending", QUOTA)), [],
        "blocked", f"gets no pod: {TOO_LARGE}, step train",
    ),
    "over the quota of claims": (
        workflow_status("Pending", message=f"Waiting for a PVC to be created. {QUOTA.replace('pods', 'pvc')}"), [],
        "blocked", f"gets no pod: {TOO_LARGE}",
    ),
    "in a queue of Kueue": (
        workflow_status("Running", TRAIN),
        [a_pod(TRAIN, conditions=[a_condition("PodScheduled", "SchedulingGated", "gated", "False")],
               labels={"kueue.x-k8s.io/queue-name": "gpu"})],
        "waiting", "waits for the queue 'gpu' to admit it: couldn't assign flavors to pod set main: insufficient "
        "unused quota for nvidia.com/gpu in flavor a100, 1 more needed, step train",
    ),
    "being drained": (
        workflow_status("Running", AGAIN),
        [a_pod(AGAIN, phase="Running", state={"running": {}}, deletionTimestamp="2026-11-24T12:09:00Z",
               conditions=[a_condition("DisruptionTarget", "EvictionByEvictionAPI", "Eviction API: evicting")])],
        "stopping",
        "was evicted from its node, as when a node is drained; it is being stopped and saves a checkpoint, step train",
    ),
    "on a silent node": (
        workflow_status("Running", AGAIN),
        [a_pod(AGAIN, phase="Running", state={"running": {}},
               conditions=SILENT)],
        "running", "runs on node-1, which does not answer: its pod is given up after some minutes, "
        "step train, attempt 2, progress 2/5, 10 min after the start",
    ),
    "given up on a silent node": (
        workflow_status("Running", AGAIN), [LOST], "blocked", f"{GIVEN_UP}; {IF_LOST}",
    ),
    "one of a sweep cannot start": (
        workflow_status("Running", *ITEMS[:1], node(NAME, ITEM.replace("-1,", "-9,"), "Pending", QUOTA, number=5)), [],
        "running", f"runs, step train of try-0, progress 2/5, 10 min after the start; the step train of try-9 gets no "
        f"pod: {TOO_LARGE}",
    ),
    "failed, its exit handler runs": (
        workflow_status("Running", root("Failed"), NO_STORE, HANDLER | {"phase": "Running", "message": ""}), [],
        "running", f"failed with exit code 75 in the step validate: {UNREACHABLE}; its exit handler runs",
    ),
    "finished, its exit handler cannot start": (
        workflow_status(
            "Running", root("Succeeded"),
            HANDLER | {"phase": "Pending", "message": 'CreateContainerConfigError: secret "phase2-s3" not found'},
        ), [],
        "blocked", f"has finished its steps; its exit handler {NO_SECRET}",
    ),
    "finished, its exit handler is tried again": (
        workflow_status(
            "Running", root("Succeeded"), HANDLER, HANDLER | {
                "id": "handler", "displayName": f"{NAME}.onExit", "type": "Retry", "phase": "Running",
                "message": "Backoff for 20 seconds",
            },
        ), [],
        "running", "has finished its steps; it waits for its exit handler, which failed with exit code 75 in the step "
        "finish: no store",
    ),
    "a sweep": (
        workflow_status("Running", *ITEMS, progress="7/20"), [],
        "running", "runs 3 steps at once, progress 7/20, 10 min after the start",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ACTIVE)
def test_state_of_an_active_run(case):
    status, pods, state, message = ACTIVE[case]
    found = workflow_state(a_workflow(status), pods, KUEUE, now=NOW)
    assert (found.state, found.message) == (state, message)
    assert not found.has_ended
    assert (found.run_id, found.kind, found.name) == ("abc", "Workflow", NAME)


TEMPLATE_GONE = 'workflowtemplates.argoproj.io "phase2-train" not found'
BAD_LEVEL = "Error (exit code 2): No level\n'hgue'."
ENDED: dict[str, tuple[Any, dict[str, Any], str, str, int | None]] = {
    "succeeded": (workflow_succeeded(NAME), {}, "succeeded", "succeeded after 8 min", 0),
    "bad request": (
        workflow_status("Failed", node(NAME, "validate", "Failed", f"main: {BAD_LEVEL}", code=2)),
        {}, "failed", "failed with exit code 2 in the step validate: No level 'hgue'.", 2,
    ),
    "its code in the message alone": (
        workflow_status("Failed", node(NAME, "validate", "Failed", "main: Error (exit code 3): Damaged.")),
        {}, "failed", "failed with exit code 3 in the step validate: Damaged.", 3,
    ),
    "out of memory twice": (
        workflow_status("Failed", OUT_OF_MEMORY, node(NAME, "train", "Failed", OOM, attempt=1, code=137, number=3)),
        {}, "failed", "ran out of its memory and was killed in the step train, after 2 attempts", 137,
    ),
    "one of a sweep": (
        workflow_status("Failed", node(NAME, ITEM, "Failed", "main: Error (exit code 3)", code=3)),
        {}, "failed", "failed with exit code 3 in the step train of try-1", 3,
    ),
    "out of time": (
        workflow_status("Failed", PREEMPTED, message="Step exceeded its deadline"),
        {"activeDeadlineSeconds": 43200}, "failed", "failed: its deadline of 12 h is over", 143,
    ),
    "no template": (
        workflow_status("Error", message=TEMPLATE_GONE), {}, "failed", f"failed: {TEMPLATE_GONE}", None,
    ),
    "the exit handler too": (
        workflow_status("Failed", node(NAME, "train", "Failed", "main: Error (exit code 3)", code=3), HANDLER),
        {}, "failed",
        "failed with exit code 3 in the step train; its exit handler failed with exit code 75 in the step finish: "
        "no store", 3,
    ),
    "the exit handler alone": (
        workflow_status("Failed", root("Succeeded"), node(NAME, "train", "Succeeded", code=0, number=2), HANDLER),
        {}, "failed", "finished its steps, but its exit handler failed with exit code 75 in the step finish: no store",
        0,
    ),
    "the exit handler, after a retry that succeeded": (
        workflow_status(
            "Failed", root("Succeeded"), KILLED, node(NAME, "train", "Succeeded", attempt=1, code=0, number=3), HANDLER
        ),
        {}, "failed", "finished its steps, but its exit handler failed with exit code 75 in the step finish: no store",
        0,
    ),
    "out of time, with an earlier cause": (
        workflow_status(
            "Failed", NO_STORE, node(NAME, "validate", "Failed", "Step exceeded its deadline", attempt=1, number=1)
        ),
        {"activeDeadlineSeconds": 43200}, "failed",
        "failed: its deadline of 12 h is over; an earlier attempt failed with exit code 75 in the step validate: "
        f"{UNREACHABLE}", None,
    ),
    "out of time before it got a pod": (
        workflow_status("Failed", node(NAME, "train", "Failed", "Step exceeded its deadline", number=2)),
        {}, "failed", "failed: its deadline is over", None,
    ),
    "a program that speaks of a deadline": (
        workflow_status(
            "Failed", node(NAME, "train", "Failed", "main: Error (exit code 3): context deadline exceeded", code=3)
        ),
        {}, "failed", "failed with exit code 3 in the step train: context deadline exceeded", 3,
    ),
    "outputs that were not saved": (
        workflow_status(
            "Failed",
            node(NAME, "report", "Error", "wait: Error (exit code 64): failed to put file: connection refused", code=0),
        ),
        {}, "failed", "could not save its outputs in the step report: failed to put file: connection refused", None,
    ),
    "a pod that is refused": (
        workflow_status("Error", node(NAME, "train", "Error", SECURITY, number=2)),
        {}, "failed", 'got no pod in the step train: violates PodSecurity "restricted:latest": '
        "runAsNonRoot != true", None,
    ),
    "stopped": (workflow_status("Failed", PREEMPTED), {"shutdown": "Stop"}, "cancelled", "was cancelled", 143),
}  # fmt: skip


@pytest.mark.parametrize("case", ENDED)
def test_state_of_an_ended_run(case):
    status, spec, state, message, code = ENDED[case]
    found = workflow_state(a_workflow(status, **spec), [], now=NOW)
    assert (found.state, found.message, found.exit_code) == (state, message, code)
    assert found.has_ended
    assert found.ended == datetime(2026, 11, 24, 12, 8, tzinfo=UTC)


def test_a_stopped_run_that_is_saving_has_not_ended():
    found = workflow_state(a_workflow(workflow_running(NAME), shutdown="Stop"), [], now=NOW)
    assert (found.state, found.message) == ("stopping", "is being stopped and saves a checkpoint")
    found = workflow_state(a_workflow(workflow_status("Running", AGAIN), shutdown="Stop"), [LOST], now=NOW)
    assert (found.state, found.message) == ("stopping", f"is being stopped, and {GIVEN_UP}; {IF_LOST}")


def test_a_workflow_that_was_created_just_now_waits_for_the_controller():
    found = workflow_state(a_workflow(), [], now=datetime(2026, 11, 24, 11, 59, 30, tzinfo=UTC))
    assert (found.state, found.message) == ("queued", "waits for Argo's controller to start it")


def test_a_suspended_workflow_says_so_and_what_still_runs():
    found = workflow_state(a_workflow(workflow_status("Running", NO_STORE), suspend=True), [], now=NOW)
    assert (found.state, found.message) == (
        "waiting",
        f"is suspended until 'argo resume {NAME}'; the previous attempt failed with exit code 75 in the step validate: "
        f"{UNREACHABLE}",
    )
    found = workflow_state(a_workflow(workflow_running(NAME), suspend=True), [], now=NOW)
    assert found.state == "running"
    assert found.message.endswith("; it is suspended, and starts no further step")


def test_a_workflow_that_is_stopped_before_it_trains_saves_nothing():
    waiting = a_pod(TRAIN, state={"waiting": {"reason": "ContainerCreating"}})
    found = workflow_state(a_workflow(workflow_status("Running", TRAIN), shutdown="Stop"), [waiting], now=NOW)
    assert (found.state, found.message) == ("stopping", "is being stopped")
    going = a_pod(TRAIN, deletionTimestamp="2026-11-24T12:09:00Z")
    found = workflow_state(a_workflow(workflow_status("Running", TRAIN), shutdown="Stop"), [going], now=NOW)
    assert (found.state, found.message) == ("stopping", "is being stopped")
    status = workflow_status("Running", PREEMPTED, HANDLER | {"phase": "Running", "message": ""})
    found = workflow_state(a_workflow(status, shutdown="Stop"), [waiting], now=NOW)
    assert (found.state, found.message) == ("stopping", "is being stopped; its exit handler runs")


def test_a_workflow_resubmitted_from_a_cancelled_one_is_not_cancelled():
    """``argo resubmit`` copies annotations, and takes ``spec.shutdown`` away."""
    workflow = a_workflow(workflow_running(NAME), annotations={"phase2.dev/cancelled": "2026-11-24T11:00:00+00:00"})
    assert workflow_state(workflow, [], now=NOW).state == "running"


def test_a_workflow_created_by_argo_submit_is_a_run():
    def state(**parameters):
        return workflow_state(a_workflow(workflow_running(NAME), parameters=parameters, labels={}), [], now=NOW)

    plain = state(algorithm="cgcnn", level="", competition="true")
    assert (plain.run_id, plain.algorithm, plain.mode) == (NAME, "cgcnn", "competition")
    assert state(**{"run-name": "mine"}).run_id == "mine"
    assert (state(resume="other").run_id, state().mode) == ("other", "std")
    other = a_workflow(labels={}, parameters={"level": "smoke,lite"}, workflowTemplateRef={"name": "phase2-sweep"})
    assert workflow_state(other, [], now=NOW).mode == "sweep"


def test_the_compressed_nodes_of_a_large_workflow_are_read():
    status = workflow_failed(NAME, 3, "Damaged.")
    compressed = base64.b64encode(gzip.compress(json.dumps(status.pop("nodes")).encode())).decode()
    found = workflow_state(a_workflow({**status, "compressedNodes": compressed}), [], now=NOW)
    assert found.message == "failed with exit code 3 in the step train: Damaged."
    for damaged in ("x", compressed[:40], "e30="):
        found = workflow_state(a_workflow({**status, "compressedNodes": damaged}), [], now=NOW)
        assert found.message == "failed: main: Error (exit code 3): Damaged."


def test_a_workflow_whose_nodes_are_in_a_database_runs():
    status = workflow_running(NAME) | {"nodes": None, "offloadNodeStatusVersion": "fnv:123"}
    found = workflow_state(a_workflow(status), [], now=NOW)
    assert (found.state, found.message) == (
        "running",
        f"runs, progress 2/5, 10 min after the start; 'argo get {NAME}' shows its steps, which Argo keeps in a "
        "database",
    )


def test_the_current_step_is_reported():
    assert workflow_state(a_workflow(workflow_running(NAME)), [], now=NOW).step == "train"
    assert workflow_state(a_workflow(workflow_failed(NAME, 3, "x")), [], now=NOW).step is None


# Several pods that train the run together ----------------------------------------------------------------------------

FIRST, OTHER = node(NAME, "train-first", "Running", number=2), node(NAME, "train-others(0:1)", "Running", number=2)
PAIR = {"nodes": "2"}
SAID = "main: Error (exit code {}): {}"
LOST_ANOTHER = SAID.format(75, "Another process of this run has ended, or cannot be reached.")


def a_trainer(of, rank, state=None, phase="Running", **more):
    own = {"phase2.dev/group": "true", "phase2.dev/rank": str(rank)}
    running = {"running": {}} if state is None else state
    return a_pod(of, phase=phase, state=running, name=f"{NAME}-{rank}", labels=own, **more)


def of_pair(status, pods):
    return workflow_state(a_workflow(status, parameters=PAIR), pods, now=NOW)


def test_pods_that_train_together_are_one_run():
    state = of_pair(workflow_status("Running", FIRST, OTHER), [a_trainer(OTHER, 1), a_trainer(FIRST, 0)])
    assert state.state == "running"
    assert state.message.startswith("runs as 2 pods on node-1, step train-first, attempt 1")
    assert (state.step, state.pod) == ("train-first", f"{NAME}-0")


def test_a_pod_that_no_node_takes_is_named_beside_the_one_that_runs():
    waiting = a_trainer(
        OTHER,
        1,
        {"waiting": {}},
        "Pending",
        conditions=[a_condition("PodScheduled", "Unschedulable", NO_ROOM, "False")],
    )
    state = of_pair(workflow_status("Running", FIRST, OTHER), [a_trainer(FIRST, 0), waiting])
    assert state.state == "blocked"
    assert state.message.startswith("1 of 2 pods run; pod 1 cannot be scheduled on any node")


@pytest.mark.parametrize("killed", ["train-first", "train-others(0:1)"])
def test_the_pod_that_was_lost_is_named_and_not_the_one_that_ended_with_it(killed):
    steps = ("train-first", "train-others(0:1)")
    ended = [
        node(NAME, step, "Failed", SAID.format(137, LOG), code=137, number=2)
        if step == killed
        else node(NAME, step, "Failed", LOST_ANOTHER, code=75, number=3)
        for step in steps
    ]
    again = [node(NAME, step, "Running", attempt=1, number=4) for step in steps]
    state = of_pair(
        workflow_status("Running", *ended, *again), [a_trainer(one, rank) for rank, one in enumerate(again)]
    )
    assert (state.state, state.attempt) == ("running", 2)
    assert f"the previous attempt was killed (SIGKILL) in the step {killed.partition('(')[0]}" in state.message


def test_a_bad_request_ends_both_with_its_exit_code():
    first = node(NAME, "train-first", "Failed", SAID.format(3, "There is no such file."), code=3, number=2)
    other = node(NAME, "train-others(0:1)", "Failed", LOST_ANOTHER, code=75, number=3)
    state = of_pair(workflow_status("Failed", root("Failed"), first, other, message="child failed"), [])
    assert (state.state, state.exit_code) == ("failed", 3)
    assert state.message == "failed with exit code 3 in the step train-first: There is no such file."
