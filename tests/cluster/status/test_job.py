"""State of a run out of Jobs, pods and events as a Kubernetes 1.34 API server returns them."""

from datetime import UTC, datetime

import pytest

from phase2.cluster.status.job import job_state
from phase2.cluster.status.pod import last_message

NOW = datetime(2026, 11, 24, 12, 10, tzinfo=UTC)
IMAGE = "registry.example.org/phase2:1"


def a_job(*conditions, annotations=None, labels=None, suspend=None, **status):
    return {
        "metadata": {
            "name": "phase2-abc",
            "namespace": "phase2",
            "uid": "job-uid",
            "creationTimestamp": "2026-11-24T12:00:00Z",
            "labels": {
                "phase2.dev/run-id": "abc",
                "phase2.dev/algorithm": "cgcnn",
                "phase2.dev/mode": "smoke",
                **(labels or {}),
            },
            "annotations": {
                "phase2.dev/command": "phase2 train --algorithm cgcnn --level smoke",
                **(annotations or {}),
            },
        },
        "spec": {"activeDeadlineSeconds": 43200, "suspend": suspend},
        "status": {"startTime": "2026-11-24T12:00:00Z", "conditions": list(conditions), **status},
    }


def a_condition(kind, reason=None, message=None, status="True"):
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-11-24T12:08:00Z",
    }


SILENT = [
    a_condition("Ready", status="False"),
    a_condition("ContainersReady"),
    a_condition("DisruptionTarget", "DeletionByTaintManager", "deleting"),
]
GIVEN_UP = (
    "was given up on node-1, which does not answer, and where it may still run: the next attempt starts when node-1 "
    "answers again, or is removed from the cluster"
)
IF_LOST = "if node-1 is lost for good, have an administrator make sure that it is off, then: kubectl delete node node-1"


def a_pod(number=1, *, state=None, phase="Running", conditions=(), deleted=False, node="node-1", claim=None, **status):
    return {
        "metadata": {
            "name": f"phase2-abc-{number}",
            "namespace": "phase2",
            "uid": f"pod-{number}",
            "creationTimestamp": f"2026-11-24T12:0{number}:00Z",
            **({"deletionTimestamp": "2026-11-24T12:09:00Z"} if deleted else {}),
        },
        "spec": {
            **({"nodeName": node} if node else {}),
            "volumes": [{"name": "cache", "persistentVolumeClaim": {"claimName": claim}}] if claim else [],
            "containers": [{"name": "train", "image": IMAGE, "resources": {"limits": {"memory": "8Gi"}}}],
        },
        "status": {
            "phase": phase,
            "conditions": list(conditions),
            **({} if state is None else {"containerStatuses": [{"name": "train", "state": state}]}),
            **status,
        },
    }


def waiting(reason, message=""):
    return a_pod(phase="Pending", state={"waiting": {"reason": reason, "message": message}})


def failed(code, message="", number=1, reason="Error", **status):
    ended = {"exitCode": code, "reason": reason, "message": message}
    return a_pod(number, phase="Failed", state={"terminated": ended}, **status)


def done(number=1):
    return a_pod(number, phase="Succeeded", state={"terminated": {"exitCode": 0}})


def running(number=1, **more):
    return a_pod(number, state={"running": {"startedAt": "2026-11-24T12:01:00Z"}}, **more)


def an_event(reason, message, about="pod-1", **involved):
    return {
        "reason": reason,
        "message": message,
        "involvedObject": involved or {"uid": about},
        "lastTimestamp": "2026-11-24T12:05:00Z",
    }


TAINTED = a_condition("DisruptionTarget", "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")
DISRUPTED = a_condition("DisruptionTarget", "EvictionByEvictionAPI", "Eviction API: evicting")
PULL = (
    f'Failed to pull image "{IMAGE}": rpc error: code = NotFound desc = failed to pull and unpack image "{IMAGE}": '
    f'failed to resolve reference "{IMAGE}": {IMAGE}: not found'
)
NO_ROOM = (
    "0/1 nodes are available: 1 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/1 nodes are "
    "available: 1 Preemption is not helpful for scheduling."
)
QUOTA = (
    'Error creating: pods "phase2-abc-x" is forbidden: exceeded quota: phase2, requested: limits.memory=64Gi, used: '
    "limits.memory=0, limited: limits.memory=32Gi"
)

NO_SECRET = (
    "cannot start: the Secret 'phase2-s3' is missing in the namespace phase2; create it: kubectl -n phase2 create "
    "secret generic phase2-s3 --from-env-file=/dev/stdin"
)
NO_CONFIG_MAP = (
    "cannot start: the ConfigMap 'phase2-store' is missing in the namespace phase2; create it: kubectl -n phase2 "
    "create configmap phase2-store --from-env-file=/dev/stdin"
)
NO_CLAIM = (
    "cannot start: the PersistentVolumeClaim 'phase2-data-cache' is missing in the namespace phase2; have it created, "
    "as k8s/base and the chart do (kubectl -n phase2 get pvc shows which there are)"
)

# Messages of the scheduler and of the controller of persistent volumes, Kubernetes 1.34.
UNBOUND = (
    "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 "
    "Preemption is not helpful for scheduling."
)
NO_CLASS = "no persistent volumes available for this claim and no storage class is set"
CLAIM = {"kind": "PersistentVolumeClaim", "namespace": "phase2", "name": "phase2-data-cache", "uid": "claim-uid"}
NOT_BOUND = "waits for a volume: the PersistentVolumeClaim 'phase2-data-cache' is not bound"


def unbound():
    unscheduled = a_condition("PodScheduled", "Unschedulable", UNBOUND, "False")
    return a_pod(phase="Pending", node=None, conditions=[unscheduled], claim="phase2-data-cache")


ACTIVE = {
    "created": ([], [], "waiting", "waits for its pod to be created"),
    "no node yet": ([a_pod(phase="Pending", node=None)], [], "waiting", "waits for a node"),
    "starting": ([waiting("ContainerCreating")], [], "waiting", "is being started"),
    "pulling": (
        [waiting("ContainerCreating")],
        [an_event("Pulling", f'Pulling image "{IMAGE}"')],
        "waiting",
        f"waits for its image: {IMAGE} is being pulled",
    ),
    "no GPU": (
        [a_pod(phase="Pending", conditions=[a_condition("PodScheduled", "Unschedulable", NO_ROOM, "False")])],
        [],
        "blocked",
        "cannot be scheduled on any node: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu",
    ),
    "no image": (
        [waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"')],
        [an_event("Failed", PULL), an_event("Failed", "Error: ImagePullBackOff")],
        "blocked",
        f"waits for its image: {IMAGE} cannot be pulled: not found in the registry",
    ),
    "no image, no event": (
        [waiting("ErrImagePull", "pull access denied, repository does not exist or may require authorization")],
        [],
        "blocked",
        f"waits for its image: {IMAGE} cannot be pulled: pull access denied, repository does not exist or may require "
        "authorization",
    ),
    "no Secret": (
        [waiting("CreateContainerConfigError", 'secret "phase2-s3" not found')],
        [],
        "blocked",
        NO_SECRET,
    ),
    "no ConfigMap": (
        [waiting("CreateContainerConfigError", 'configmap "phase2-store" not found')],
        [],
        "blocked",
        NO_CONFIG_MAP,
    ),
    "no claim": (
        [
            a_pod(
                phase="Pending",
                conditions=[
                    a_condition(
                        "PodScheduled", "Unschedulable", 'persistentvolumeclaim "phase2-data-cache" not found.', "False"
                    )
                ],
            )
        ],
        [],
        "blocked",
        NO_CLAIM,
    ),
    "no key in the Secret": (
        [waiting("CreateContainerConfigError", "couldn't find key AWS_ACCESS_KEY_ID in Secret phase2/phase2-s3")],
        [],
        "blocked",
        "cannot start: the Secret 'phase2-s3' of the namespace phase2 has no key AWS_ACCESS_KEY_ID; add it: kubectl -n "
        "phase2 edit secret phase2-s3",
    ),
    "no Secret to mount": (
        [waiting("ContainerCreating")],
        [an_event("FailedMount", 'MountVolume.SetUp failed for volume "keys" : secret "phase2-s3" not found')],
        "blocked",
        NO_SECRET,
    ),
    "no default StorageClass": (
        [unbound()],
        [an_event("FailedBinding", NO_CLASS, **CLAIM), an_event("FailedBinding", "x", **{**CLAIM, "name": "other"})],
        "blocked",
        f"{NOT_BOUND}: no volume fits, and the cluster has no default StorageClass; name a StorageClass for the claim, "
        "or mark one as the default (kubectl get storageclass)",
    ),
    "no such StorageClass": (
        [unbound()],
        [an_event("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found', **CLAIM)],
        "blocked",
        f"{NOT_BOUND}: storageclass.storage.k8s.io 'fast' not found",
    ),
    "not bound, by the scheduler alone": (
        [unbound()],
        [an_event("FailedBinding", NO_CLASS, **{**CLAIM, "namespace": "other"})],
        "blocked",
        "cannot be scheduled on any node: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims",
    ),
    "denied by a webhook": (
        [],
        [
            an_event(
                "FailedCreate",
                'Error creating: admission webhook "images.example.org" denied the request: unsigned image',
                "job-uid",
            )
        ],
        "blocked",
        'gets no pod: admission webhook "images.example.org" denied the request: unsigned image',
    ),
    "on a silent node": (
        [running(conditions=SILENT)],
        [],
        "running",
        "runs on node-1, which does not answer: its pod is given up after some minutes, attempt 1, 10 min after the "
        "start",
    ),
    "given up on a silent node": (
        [running(deleted=True, conditions=SILENT)],
        [],
        "blocked",
        f"{GIVEN_UP}; {IF_LOST}",
    ),
    "being preempted": (
        [running(deleted=True, conditions=[a_condition("DisruptionTarget", "PreemptionByScheduler", "preempting")])],
        [],
        "stopping",
        "was preempted by a pod of higher priority; it is being stopped and saves a checkpoint",
    ),
    "deleted before its start": (
        [a_pod(phase="Pending", deleted=True)],
        [],
        "stopping",
        "is being stopped before it has started",
    ),
    "evicted before its start": (
        [a_pod(phase="Pending", deleted=True, conditions=[TAINTED])],
        [],
        "stopping",
        f"was evicted from node-1 by a taint before it had started: the next attempt starts when node-1 has confirmed "
        f"that it is gone; {IF_LOST}",
    ),
    "evicted by a taint": (
        [running(deleted=True, conditions=[TAINTED])],
        [],
        "stopping",
        "was evicted from its node by a taint; it is being stopped and saves a checkpoint",
    ),
    "no entry point": (
        [waiting("RunContainerError", 'exec: "phase2": executable file not found in $PATH')],
        [],
        "blocked",
        "cannot start: exec: 'phase2': executable file not found in $PATH",
    ),
    "no volume": (
        [waiting("ContainerCreating")],
        [an_event("FailedMount", "MountVolume.SetUp failed for volume\n 'cache'")],
        "blocked",
        "waits for a volume: MountVolume.SetUp failed for volume 'cache'",
    ),
    "over the quota": (
        [],
        [an_event("FailedCreate", QUOTA, "job-uid")],
        "blocked",
        "gets no pod: the quota 'phase2' of the namespace is exceeded: limits.memory (64Gi asked, 0 of 32Gi in use)",
    ),
    "no priority class": (
        [],
        [
            an_event(
                "FailedCreate",
                'Error creating: pods "phase2-abc-x" is forbidden: no PriorityClass with name urgent was found',
                "job-uid",
            )
        ],
        "blocked",
        "gets no pod: no PriorityClass with name urgent was found",
    ),
    "running": ([running()], [], "running", "runs on node-1, attempt 1, 10 min after the start"),
    "after an OOM": (
        [failed(137, reason="OOMKilled"), running(2)],
        [],
        "running",
        "runs on node-1, attempt 2, 10 min after the start; the previous attempt ran out of its 8Gi of memory "
        "and was killed",
    ),
    "evicted, next one starts": (
        [
            failed(143, "Stopped by SIGTERM.", conditions=[DISRUPTED]),
            a_pod(2, phase="Pending", state={"waiting": {"reason": "ContainerCreating"}}),
        ],
        [],
        "retrying",
        "is being started; the previous attempt was evicted from its node, as when a node is drained",
    ),
    "in between": (
        [failed(75, "The bucket does not answer.\n")],
        [],
        "retrying",
        "waits to start attempt 2; the previous attempt failed in a way that may pass (exit code 75): "
        "The bucket does not answer.",
    ),
    "finished, not counted yet": (
        [done()],
        [],
        "running",
        "has finished; its Job is being completed",
    ),
    "terminating": ([running(deleted=True)], [], "stopping", "is being stopped and saves a checkpoint"),
    "lost node": (
        [a_pod(phase="Failed", conditions=[a_condition("DisruptionTarget", "DeletionByPodGC", "node is gone")])],
        [],
        "retrying",
        "waits to start attempt 2; the previous attempt was lost with its node",
    ),
    "node out of memory": (
        [a_pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory.")],
        [],
        "retrying",
        "waits to start attempt 2; the previous attempt was ended by its node (Evicted): "
        "The node was low on resource: memory.",
    ),
}


@pytest.mark.parametrize("case", ACTIVE)
def test_state_of_an_active_run(case):
    pods, events, state, message = ACTIVE[case]
    active = sum(pod["status"]["phase"] in {"Pending", "Running"} for pod in pods)
    found = job_state(a_job(active=active, failed=len(pods) - active), pods, events, now=NOW)
    assert (found.state, found.message) == (state, message)
    assert not found.has_ended


COMPLETE = a_condition("Complete", "CompletionsReached", "Reached expected number of succeeded pods")
BAD_LEVEL = "Unknown level 'profi'. The level is one of smoke, lite, std. Did you mean 'pro'?"

ENDED = {
    "succeeded": ([COMPLETE], [done()], {}, "succeeded", "succeeded after 8 min", 0),
    "succeeded after a retry": ([COMPLETE], [failed(143), done(2)], {}, "succeeded",
                             "succeeded after 8 min and 2 attempts", 0),
    "succeeded, pods gone": ([COMPLETE], [], {}, "succeeded", "succeeded after 8 min", None),
    "bad request": ([a_condition("Failed", "PodFailurePolicy", "Container train failed with exit code 2")],
                    [failed(2, BAD_LEVEL)], {}, "failed", f"failed with exit code 2: {BAD_LEVEL}", 2),
    "out of retries": ([a_condition("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")],
                [failed(1, "error: boom"), failed(1, "error: Internal error: boom", 2)], {}, "failed",
                "failed for good after 2 attempts; the last one failed with exit code 1: Internal error: boom", 1),
    "out of time": ([a_condition("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")],
                    [failed(143)], {}, "failed", "failed: its deadline of 12 h is over", 143),
    "out of time, with an earlier cause": (
        [a_condition("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")],
        [failed(137, reason="OOMKilled"), failed(143, number=2)], {}, "failed",
        "failed: its deadline of 12 h is over; an earlier attempt ran out of its 8Gi of memory and was killed", 143),
    "cancelled": ([a_condition("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")],
                  [failed(143)], {"phase2.dev/cancelled": "2026-11-24T12:07:00Z"}, "cancelled", "was cancelled", 143),
    "pods gone": ([a_condition("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")],
                  [], {}, "failed", "failed: Job has reached the specified backoff limit", None),
}  # fmt: skip


@pytest.mark.parametrize("case", ENDED)
def test_state_of_an_ended_run(case):
    conditions, pods, annotations, state, message, code = ENDED[case]
    found = job_state(a_job(*conditions, annotations=annotations), pods, now=NOW)
    assert (found.state, found.message, found.exit_code) == (state, message, code)
    assert found.has_ended
    assert found.ended == datetime(2026, 11, 24, 12, 8, tzinfo=UTC)


def test_a_cancelled_run_that_is_saving_has_not_ended():
    job = a_job(a_condition("FailureTarget", "DeadlineExceeded"), annotations={"phase2.dev/cancelled": "now"})
    assert job_state(job, [running(deleted=True)], now=NOW).state == "stopping"
    lost = job_state(job, [running(deleted=True, conditions=SILENT)], now=NOW)
    assert (lost.state, lost.message) == ("stopping", f"is being stopped, and {GIVEN_UP}; {IF_LOST}")
    job = a_job(annotations={"phase2.dev/cancelled": "now"})
    assert job_state(job, [running()], now=NOW).message == "is being stopped and saves a checkpoint"
    early = job_state(job, [a_pod(phase="Pending", deleted=True)], now=NOW)
    assert (early.state, early.message) == ("stopping", "is being stopped before it has started")


def test_a_run_that_is_ended_by_its_job_says_why():
    """The condition ``FailureTarget`` precedes ``Failed``: the pods have to end first."""
    deadline = a_condition("FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline")
    found = job_state(a_job(deadline), [running(deleted=True)], now=NOW)
    assert (found.state, found.message) == (
        "stopping",
        "is being stopped and saves a checkpoint; it failed: its deadline of 12 h is over",
    )
    policy = a_condition("FailureTarget", "PodFailurePolicy", "Container train failed with exit code 2")
    found = job_state(a_job(policy), [failed(2, BAD_LEVEL)], now=NOW)
    assert found.message == f"is being completed; it failed with exit code 2: {BAD_LEVEL}"


def test_a_pod_that_had_no_node_until_the_deadline_is_named():
    deadline = a_condition("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
    events = [
        an_event("SuccessfulDelete", "Deleted pod: phase2-abc-0-x", "job-uid"),
        an_event("SuccessfulDelete", "Deleted pod: phase2-abc-1-x", "job-uid"),
        an_event("FailedScheduling", "0/1 nodes are available.", kind="Pod", name="phase2-abc-0-x"),
        an_event(
            "Scheduled", "Successfully assigned phase2/phase2-abc-0-x to node-1", kind="Pod", name="phase2-abc-0-x"
        ),
        an_event("FailedScheduling", NO_ROOM, kind="Pod", name="phase2-abc-1-x"),
        an_event("FailedScheduling", NO_ROOM, kind="Pod", name="phase2-other-0-x"),
    ]
    found = job_state(a_job(deadline), [], events, now=NOW)
    assert found.message == (
        "failed: its deadline of 12 h is over; its pod phase2-abc-1-x was not scheduled on any node: "
        "0/1 nodes are available: 1 Insufficient nvidia.com/gpu"
    )
    assert job_state(a_job(deadline), [], events[:4], now=NOW).message == "failed: its deadline of 12 h is over"


def test_a_queued_run_says_what_its_queue_waits_for():
    job = a_job(suspend=True, labels={"kueue.x-k8s.io/queue-name": "gpu"})
    message = "couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in flavor a100"
    workload = {"kind": "Workload", "namespace": "phase2", "name": "job-phase2-abc-0-5c1f0"}
    other = an_event("Pending", "of another run", **workload)
    assert job_state(job, [], [other], now=NOW).message == "waits for the queue 'gpu' to admit it"
    own = an_event("Pending", message, **{**workload, "name": "job-phase2-abc-5c1f0"})
    assert job_state(job, [], [other, own], now=NOW).message == f"waits for the queue 'gpu' to admit it: {message}"


def test_state_of_a_queued_run():
    job = a_job(suspend=True, labels={"kueue.x-k8s.io/queue-name": "gpu"})
    found = job_state(job, [], now=NOW)
    assert (found.state, found.message) == ("queued", "waits for the queue 'gpu' to admit it")
    assert job_state(a_job(suspend=True), [], now=NOW).message == "is suspended"


def test_attempts_whose_pods_were_deleted_are_counted():
    found = job_state(a_job(failed=3, active=1), [running(4)], now=NOW)
    assert found.attempt == 4


def test_attempts_lost_to_disruptions_are_counted_by_their_events():
    made = [
        {"reason": "SuccessfulCreate", "involvedObject": {"uid": uid}, "message": f"Created pod: phase2-abc-{name}"}
        for uid, name in (("job-uid", "x1"), ("job-uid", "x2"), ("job-uid", "x2"), ("another", "y"))
    ]
    assert job_state(a_job(active=1), [running()], made, now=NOW).attempt == 2


def test_causes_that_have_passed_are_not_reported():
    no_room = a_condition("PodScheduled", "Unschedulable", NO_ROOM, "False")
    waits_for_gpu = a_pod(phase="Pending", node=None, conditions=[no_room], claim="phase2-data-cache")
    before = an_event("FailedBinding", NO_CLASS, **CLAIM)
    assert "Insufficient nvidia.com/gpu" in job_state(a_job(active=1), [waits_for_gpu], [before], now=NOW).message
    mounts = [an_event("FailedMount", "x"), an_event("Pulling", "Pulling image")]
    found = job_state(a_job(active=1), [waiting("ContainerCreating")], mounts, now=NOW)
    assert found.message == f"waits for its image: {IMAGE} is being pulled"
    refused = an_event("FailedCreate", QUOTA, "job-uid")  # at 12:05
    assert job_state(a_job(), [failed(75, "x", number=6)], [refused], now=NOW).state == "retrying"
    assert job_state(a_job(), [failed(75, "x", number=4)], [refused], now=NOW).state == "blocked"


def test_events_about_another_pod_are_ignored():
    found = job_state(a_job(active=1), [waiting("ContainerCreating")], [an_event("FailedMount", "x", "other")], now=NOW)
    assert found.state == "waiting"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("The bucket is gone. Check it.\n", "The bucket is gone. Check it."),
        ("epoch 1\nepoch 2\nerror: It is full.\n  why: x\n  fix: y\n", "It is full."),
        ("epoch 1\nKilled\n", "Killed"),
        ("", ""),
    ],
)
def test_a_termination_message_becomes_one_line(message, expected):
    assert last_message(message) == expected
