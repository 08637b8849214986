"""State of one pod of a run. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from phase2.cluster.manifests.pod import CONTAINER as JOB_CONTAINER
from phase2.cluster.manifests.workflow import CONTAINER as WORKFLOW_CONTAINER
from phase2.cluster.objects import Object, condition, event_message, failed_condition, namespace_of
from phase2.cluster.status.obstacles import Obstacle, container_obstacle, flat, scheduling_obstacle
from phase2.cluster.status.placement import evicted_early, is_silent, lost_node
from phase2.cluster.status.queue import admission_message
from phase2.cluster.status.volumes import unbound_claim, unmounted_volume

Phase = Literal["waiting", "blocked", "running", "stopping", "succeeded", "failed"]

_CONTAINERS = (JOB_CONTAINER, WORKFLOW_CONTAINER)

_DISRUPTIONS = {
    "PreemptionByScheduler": "was preempted by a pod of higher priority",
    "DeletionByTaintManager": "was evicted from its node by a taint",
    "EvictionByEvictionAPI": "was evicted from its node, as when a node is drained",
    "DeletionByPodGC": "was lost with its node",
    "TerminationByKubelet": "was ended by its node, which ran out of memory, disk or process ids, or shut down",
}
SAVES = "is being stopped and saves a checkpoint"
STOPPED_EARLY = "is being stopped before it has started"


@dataclass(frozen=True, slots=True)
class PodState:
    """State of a pod.

    Attributes:
        phase: What it does; a ``blocked`` pod needs somebody to act.
        message: What it does or how it ended, to follow "it".
        exit_code: Exit code of its container; None if it has not ended, or was lost.
        fix: What to do where it is blocked, if there is something to say.
        is_lost: Whether it has started, is to be deleted, and its node does not answer.
        has_started: Whether the container of a pod that is to be deleted has started, and may have something to save.
    """

    phase: Phase
    message: str
    exit_code: int | None = None
    fix: str = ""
    is_lost: bool = False
    has_started: bool = True

    @classmethod
    def blocked(cls, obstacle: Obstacle) -> PodState:
        """Return the state of a pod with an obstacle."""
        return cls("blocked", obstacle.message, fix=obstacle.fix)


def pod_state(pod: Object, events: Sequence[Object] = ()) -> PodState:
    """Return the state of a pod.

    Args:
        pod: The pod.
        events: Events of its namespace.
    """
    status = pod.get("status") or {}
    state = container_state(pod)
    phase = status.get("phase")
    if phase in {"Succeeded", "Failed"}:
        return _ended(pod, state.get("terminated") or {})
    if pod["metadata"].get("deletionTimestamp"):
        return _deleted(pod)
    if "running" in state:
        return PodState("running", _running(pod))
    if "terminated" in state:  # before the phase of the pod is updated
        return _ended(pod, state["terminated"])
    return _pending(pod, events)


def container_state(pod: Object) -> Object:
    """Return the state of the container that runs phase2: ``waiting``, ``running``, ``terminated``, or empty."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return next((status.get("state") or {} for status in statuses if status.get("name") in _CONTAINERS), {})


def has_started(pod: Object) -> bool:
    """Whether the container that runs phase2 is running, or has ended."""
    return bool(container_state(pod).keys() & {"running", "terminated"})


def _deleted(pod: Object) -> PodState:
    """Return the state of a pod that is to be deleted."""
    lost = lost_node(pod)
    if lost is not None:
        return replace(PodState.blocked(lost), is_lost=True)
    if has_started(pod):
        return PodState("stopping", _stopping(pod, SAVES))
    evicted = evicted_early(pod)
    if evicted is not None:
        return PodState("stopping", evicted.message, fix=evicted.fix, has_started=False)
    return PodState("stopping", _stopping(pod, STOPPED_EARLY), has_started=False)


def _stopping(pod: Object, saves: str) -> str:
    """Return why a pod is being deleted, as far as the cluster says, and what it does."""
    disrupted = condition(pod, "DisruptionTarget")
    known = None if disrupted is None else _DISRUPTIONS.get(str(disrupted.get("reason")))
    return saves if known is None else f"{known}; it {saves}"


def _running(pod: Object) -> str:
    node = (pod.get("spec") or {}).get("nodeName")
    if not is_silent(pod):
        return f"runs on {node}" if node else "runs"
    return f"runs on {node}, which does not answer: its pod is given up after some minutes"


def _pending(pod: Object, events: Sequence[Object]) -> PodState:
    unscheduled = failed_condition(pod, "PodScheduled")
    if unscheduled is not None:
        if unscheduled.get("reason") == "SchedulingGated":
            return PodState("waiting", admission_message(pod, events) or "waits for its scheduling gate to open")
        message = str(unscheduled.get("message") or "")
        return PodState.blocked(unbound_claim(pod, message, events) or scheduling_obstacle(message, namespace_of(pod)))
    obstacle = _obstacle(pod, events)
    if obstacle is not None:
        return PodState.blocked(obstacle)
    if event_message(events, pod, "Pulling") is not None and event_message(events, pod, "Pulled") is None:
        return PodState("waiting", f"waits for its image: {_image(pod)} is being pulled")
    has_node = (pod.get("spec") or {}).get("nodeName")
    return PodState("waiting", "is being started" if has_node else "waits for a node")


def _obstacle(pod: Object, events: Sequence[Object]) -> Obstacle | None:
    """Return what keeps a scheduled pod from starting; None if nothing does."""
    for name, waiting in _waiting(pod):
        message = str(waiting.get("message") or "")
        failure = event_message(events, pod, "Failed") or ""
        detail = failure if failure.startswith("Failed to pull") and "pull" in str(waiting).lower() else message
        reason, image = str(waiting.get("reason") or ""), _image(pod, name)
        found = container_obstacle(reason, detail, image=image, namespace=namespace_of(pod))
        if found is not None:
            return found
    return unmounted_volume(pod, events)


def _waiting(pod: Object) -> Iterator[tuple[str, Object]]:
    """Yield the waiting containers and their states: first the one that runs phase2, then those of Argo."""
    status = pod.get("status") or {}
    statuses = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    for each in sorted(statuses, key=lambda one: one.get("name") not in _CONTAINERS):
        waiting = (each.get("state") or {}).get("waiting")
        if waiting is not None:
            yield str(each.get("name")), waiting


def _ended(pod: Object, terminated: Object) -> PodState:
    """Return the state of an ended pod; its container state is missing if the node was lost."""
    code = terminated.get("exitCode")
    message = last_message(str(terminated.get("message") or ""))
    if code == 0 or pod["status"].get("phase") == "Succeeded":
        return PodState("succeeded", "finished", 0)
    reason = _why_it_ended(pod, terminated, code)
    return PodState("failed", f"{reason}{f': {message}' if message and code in _EXPLAINED else ''}", code)


# Exit codes of phase2 itself, which prints the reason first.
_EXPLAINED = {1, 2, 3, 4, 75}


def _why_it_ended(pod: Object, terminated: Object, code: int | None) -> str:
    disrupted = condition(pod, "DisruptionTarget")
    reason = pod["status"].get("reason")
    if code in {2, 3, 4}:
        return f"failed with exit code {code}"
    if terminated.get("reason") == "OOMKilled":
        return f"ran out of its {_memory(pod)} of memory and was killed"
    if disrupted is not None:
        known = _DISRUPTIONS.get(str(disrupted.get("reason")))
        return known or f"was disrupted ({flat(str(disrupted.get('message') or disrupted.get('reason')))})"
    if reason:
        return f"was ended by its node ({reason}): {flat(str(pod['status'].get('message') or ''))}".rstrip(": ")
    reasons = {
        None: "was lost before it ended",
        75: "failed in a way that may pass (exit code 75)",
        137: "was killed (SIGKILL)",
        143: "was stopped (SIGTERM)",
    }
    return reasons.get(code, f"failed with exit code {code}")


def last_message(message: str) -> str:
    """Return a termination message in one line: its error, or the last line of the log."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (errors or lines or [""])[-1]


def _image(pod: Object, container: str | None = None) -> str:
    return str(_spec(pod, container).get("image") or "its image")


def _memory(pod: Object) -> str:
    return str(((_spec(pod).get("resources") or {}).get("limits") or {}).get("memory") or "share")


def _spec(pod: Object, container: str | None = None) -> Object:
    spec = pod.get("spec") or {}
    containers = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    names = _CONTAINERS if container is None else (container,)
    return next((each for each in containers if each.get("name") in names), {})
