"""What one pod of a run is doing, or how it ended. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from phase2.cluster.manifests.pod import CONTAINER as JOB_CONTAINER
from phase2.cluster.manifests.workflow import CONTAINER as WORKFLOW_CONTAINER
from phase2.cluster.objects import Object, condition, event_message, failed_condition

Phase = Literal["waiting", "blocked", "running", "stopping", "succeeded", "failed"]

_OURS = (JOB_CONTAINER, WORKFLOW_CONTAINER)

_DISRUPTIONS = {
    "PreemptionByScheduler": "gave way to a pod of higher priority",
    "DeletionByTaintManager": "was driven off its node by a taint",
    "EvictionByEvictionAPI": "was evicted from its node, as when a node is drained",
    "DeletionByPodGC": "was lost with its node",
    "TerminationByKubelet": "was ended by its node, which ran out of memory, disk or process ids, or shut down",
}
_PULL = {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable"}
_CANNOT_START = {"CreateContainerError", "RunContainerError", "CreateContainerConfigError"}
_MOUNT_EVENTS = ("FailedMount", "FailedAttachVolume")


@dataclass(frozen=True, slots=True)
class PodState:
    """What a pod is doing.

    Attributes:
        phase: ``blocked`` waits for something that a person has to do.
        words: What goes on, or how it ended, to follow "it".
        exit_code: Exit code of its container; None where it has not ended, or was lost.
        message: What it said at its end.
    """

    phase: Phase
    words: str
    exit_code: int | None = None
    message: str = ""


def pod_state(pod: Object, events: Sequence[Object] = ()) -> PodState:
    """Say what a pod is doing, or how it ended.

    Args:
        pod: The pod.
        events: What was noticed in its namespace.
    """
    status = pod.get("status") or {}
    state = container_state(pod)
    phase = status.get("phase")
    if phase in {"Succeeded", "Failed"}:
        return _ended(pod, state.get("terminated") or {})
    if pod["metadata"].get("deletionTimestamp"):
        return PodState("stopping", "was asked to stop, and saves what it has")
    if "running" in state:
        node = (pod.get("spec") or {}).get("nodeName")
        return PodState("running", f"runs on {node}" if node else "runs")
    if "terminated" in state:  # the pod's own phase follows in a moment
        return _ended(pod, state["terminated"])
    return _pending(pod, state.get("waiting") or {}, events)


def container_state(pod: Object) -> Object:
    """The state of the container that runs phase2: ``waiting``, ``running`` or ``terminated``; empty before that."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return next((one.get("state") or {} for one in statuses if one.get("name") in _OURS), {})


def _pending(pod: Object, waiting: Object, events: Sequence[Object]) -> PodState:
    unscheduled = failed_condition(pod, "PodScheduled")
    if unscheduled is not None:
        if unscheduled.get("reason") == "SchedulingGated":
            return PodState("waiting", "waits for its scheduling gate to open")
        why = _scheduling(str(unscheduled.get("message") or "no node fits"))
        return PodState("blocked", f"cannot be placed on any node: {why}")
    obstacle = _obstacle(pod, waiting, events)
    if obstacle is not None:
        return PodState("blocked", obstacle)
    if event_message(events, pod, "Pulling") is not None and event_message(events, pod, "Pulled") is None:
        return PodState("waiting", f"waits for its image: {_image(pod)} is being pulled")
    has_node = (pod.get("spec") or {}).get("nodeName")
    return PodState("waiting", "is being started" if has_node else "waits for a node")


def _obstacle(pod: Object, waiting: Object, events: Sequence[Object]) -> str | None:
    """What keeps a pod that has a node from starting; None when it only takes its time."""
    reason, message = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
    if reason in _PULL:
        said = event_message(events, pod, "Failed") or ""
        detail = said if said.startswith("Failed to pull") else message
        return f"waits for its image: {_image(pod)} cannot be pulled: {_pull_cause(detail)}"
    if reason == "InvalidImageName":
        return f"cannot start: '{_image(pod)}' is no name of an image"
    if reason in _CANNOT_START:
        return f"cannot start: {_missing(message) or reason}"
    mount = event_message(events, pod, *_MOUNT_EVENTS)
    return None if mount is None else f"waits for a volume: {_flat(mount)}"


def _ended(pod: Object, terminated: Object) -> PodState:
    """How a pod ended; its container is unknown where the node was lost."""
    code = terminated.get("exitCode")
    message = last_words(str(terminated.get("message") or ""))
    if code == 0 or pod["status"].get("phase") == "Succeeded":
        return PodState("succeeded", "finished", 0, message)
    words = _why_it_ended(pod, terminated, code)
    return PodState("failed", f"{words}{f': {message}' if message and code in _SPEAKING else ''}", code, message)


# The codes that phase2 ends with by itself, having said why.
_SPEAKING = {1, 2, 3, 4, 75}


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
    words = {
        None: "was lost before it ended",
        75: "failed in a way that may pass (exit code 75)",
        137: "was killed (SIGKILL)",
        143: "was stopped (SIGTERM)",
    }
    return words.get(code, f"failed with exit code {code}")


def last_words(message: str) -> str:
    """What a pod said at its end, in one line: its error, or the last line of its log."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (errors or lines or [""])[-1]


def _scheduling(message: str) -> str:
    # "0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: ..." - the second sentence helps nobody.
    text = _flat(message).partition(" preemption: ")[0].partition(" no new claims ")[0]
    return text.rstrip(". ")


def _pull_cause(message: str) -> str:
    """The registry's own words, out of those that each layer on the way put around them."""
    text = _flat(message)
    for ending, words in (
        ("not found", "not found in the registry"),
        ("unauthorized", "the registry wants other credentials"),
        ("authorization failed", "the registry wants other credentials"),
        ("connection refused", "the registry does not answer (connection refused)"),
        ("no such host", "the registry's host name does not exist"),
        ("i/o timeout", "the registry does not answer (timeout)"),
    ):
        if ending in text.lower():
            return words
    return text.rstrip(". ") or "the registry does not say why"


def _missing(message: str) -> str:
    words = message.replace('"', "'")
    for kind, name in (("secret", "Secret"), ("configmap", "ConfigMap")):
        if words.startswith(f"{kind} '") and words.endswith("not found"):
            what = words.split("'")[1]
            return f"the {name} '{what}' is missing in its namespace"
    return _flat(words)


def _image(pod: Object) -> str:
    return str(_spec(pod).get("image") or "its image")


def _memory(pod: Object) -> str:
    return str(((_spec(pod).get("resources") or {}).get("limits") or {}).get("memory") or "share")


def _spec(pod: Object) -> Object:
    containers = (pod.get("spec") or {}).get("containers") or []
    return next((one for one in containers if one.get("name") in _OURS), {})


def _flat(text: str) -> str:
    return " ".join(text.split())
