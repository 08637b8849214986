"""State of one pod of a run. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from phase2.cluster.manifests.pod import CONTAINER as JOB_CONTAINER
from phase2.cluster.manifests.workflow import CONTAINER as WORKFLOW_CONTAINER
from phase2.cluster.objects import Object, condition, event_message, failed_condition

Phase = Literal["waiting", "blocked", "running", "stopping", "succeeded", "failed"]

_CONTAINERS = (JOB_CONTAINER, WORKFLOW_CONTAINER)

_DISRUPTIONS = {
    "PreemptionByScheduler": "was preempted by a pod of higher priority",
    "DeletionByTaintManager": "was evicted from its node by a taint",
    "EvictionByEvictionAPI": "was evicted from its node, as when a node is drained",
    "DeletionByPodGC": "was lost with its node",
    "TerminationByKubelet": "was ended by its node, which ran out of memory, disk or process ids, or shut down",
}
_PULL = {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable"}
_CANNOT_START = {"CreateContainerError", "RunContainerError", "CreateContainerConfigError"}
_MOUNT_EVENTS = ("FailedMount", "FailedAttachVolume")


@dataclass(frozen=True, slots=True)
class PodState:
    """State of a pod.

    Attributes:
        phase: What it does; a ``blocked`` pod needs somebody to act.
        message: What it does or how it ended, to follow "it".
        exit_code: Exit code of its container; None if it has not ended, or was lost.
    """

    phase: Phase
    message: str
    exit_code: int | None = None


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
        return PodState("stopping", "is being stopped and saves a checkpoint")
    if "running" in state:
        node = (pod.get("spec") or {}).get("nodeName")
        return PodState("running", f"runs on {node}" if node else "runs")
    if "terminated" in state:  # before the phase of the pod is updated
        return _ended(pod, state["terminated"])
    return _pending(pod, state.get("waiting") or {}, events)


def container_state(pod: Object) -> Object:
    """Return the state of the container that runs phase2: ``waiting``, ``running``, ``terminated``, or empty."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return next((status.get("state") or {} for status in statuses if status.get("name") in _CONTAINERS), {})


def has_started(pod: Object) -> bool:
    """Whether the container that runs phase2 is running, or has ended."""
    return bool(container_state(pod).keys() & {"running", "terminated"})


def _pending(pod: Object, waiting: Object, events: Sequence[Object]) -> PodState:
    unscheduled = failed_condition(pod, "PodScheduled")
    if unscheduled is not None:
        if unscheduled.get("reason") == "SchedulingGated":
            return PodState("waiting", "waits for its scheduling gate to open")
        why = _scheduling_error(str(unscheduled.get("message") or "no node fits"))
        return PodState("blocked", f"cannot be scheduled on any node: {why}")
    obstacle = _obstacle(pod, waiting, events)
    if obstacle is not None:
        return PodState("blocked", obstacle)
    if event_message(events, pod, "Pulling") is not None and event_message(events, pod, "Pulled") is None:
        return PodState("waiting", f"waits for its image: {_image(pod)} is being pulled")
    has_node = (pod.get("spec") or {}).get("nodeName")
    return PodState("waiting", "is being started" if has_node else "waits for a node")


def _obstacle(pod: Object, waiting: Object, events: Sequence[Object]) -> str | None:
    """Return what keeps a scheduled pod from starting; None if nothing does."""
    reason, message = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
    if reason in _PULL:
        failure = event_message(events, pod, "Failed") or ""
        detail = failure if failure.startswith("Failed to pull") else message
        return f"waits for its image: {_image(pod)} cannot be pulled: {_pull_error(detail)}"
    if reason == "InvalidImageName":
        return f"cannot start: '{_image(pod)}' is not a valid image name"
    if reason in _CANNOT_START:
        return f"cannot start: {_config_error(message) or reason}"
    mount = event_message(events, pod, *_MOUNT_EVENTS)
    return None if mount is None else f"waits for a volume: {_flat(mount)}"


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
        return known or f"was disrupted ({_flat(str(disrupted.get('message') or disrupted.get('reason')))})"
    if reason:
        return f"was ended by its node ({reason}): {_flat(str(pod['status'].get('message') or ''))}".rstrip(": ")
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


def _scheduling_error(message: str) -> str:
    # "0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: ..." - the second sentence does not help.
    text = _flat(message).partition(" preemption: ")[0].partition(" no new claims ")[0]
    return text.rstrip(". ")


def _pull_error(message: str) -> str:
    """Return the error of the registry, without the messages that kubelet and containerd wrap around it."""
    text = _flat(message)
    for pattern, cause in (
        ("not found", "not found in the registry"),
        ("unauthorized", "the registry rejects the credentials"),
        ("authorization failed", "the registry rejects the credentials"),
        ("connection refused", "the registry does not answer (connection refused)"),
        ("no such host", "the registry's host name does not exist"),
        ("i/o timeout", "the registry does not answer (timeout)"),
    ):
        if pattern in text.lower():
            return cause
    return text.rstrip(". ") or "the registry does not say why"


def _config_error(message: str) -> str:
    text = message.replace('"', "'")
    for kind, name in (("secret", "Secret"), ("configmap", "ConfigMap")):
        if text.startswith(f"{kind} '") and text.endswith("not found"):
            missing = text.split("'")[1]
            return f"the {name} '{missing}' is missing in its namespace"
    return _flat(text)


def _image(pod: Object) -> str:
    return str(_spec(pod).get("image") or "its image")


def _memory(pod: Object) -> str:
    return str(((_spec(pod).get("resources") or {}).get("limits") or {}).get("memory") or "share")


def _spec(pod: Object) -> Object:
    containers = (pod.get("spec") or {}).get("containers") or []
    return next((container for container in containers if container.get("name") in _CONTAINERS), {})


def _flat(text: str) -> str:
    return " ".join(text.split())
