"""Whether the pods of a run have a node, and whether that answers. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from phase2.cluster.objects import Object, condition, events_about, failed_condition, namespace_of
from phase2.cluster.status.obstacles import Obstacle, scheduling_obstacle


def lost_node(pod: Object) -> Obstacle | None:
    """Return what a pod that is being deleted waits for where its node cannot delete it; None if that is at work."""
    node = (pod.get("spec") or {}).get("nodeName")
    if not is_silent(pod) or not node:
        return None
    # No other pod may start before it is known that this one writes no more.
    return Obstacle(
        f"was given up on {node}, which does not answer, and where it may still run: the next attempt starts when "
        f"{node} answers again, or is removed from the cluster",
        _if_lost(node),
    )


def evicted_early(pod: Object) -> Obstacle | None:
    """Return what a pod waits for that was evicted by a taint before it has started; None for others.

    A node that does not answer gets such a taint, and nothing in a pod that never ran tells it from others.
    """
    node, disrupted = (pod.get("spec") or {}).get("nodeName"), condition(pod, "DisruptionTarget")
    if not node or disrupted is None or disrupted.get("reason") != "DeletionByTaintManager":
        return None
    return Obstacle(
        f"was evicted from {node} by a taint before it had started: the next attempt starts when {node} has confirmed "
        "that it is gone",
        _if_lost(node),
    )


def _if_lost(node: str) -> str:
    return (
        f"if {node} is lost for good, have an administrator make sure that it is off, then: kubectl delete node {node}"
    )


def is_silent(pod: Object) -> bool:
    """Whether the node of a pod does not answer: only then a pod whose containers are ready is not ready itself."""
    return failed_condition(pod, "Ready") is not None and condition(pod, "ContainersReady") is not None


def unplaced_pod(job: Object, events: Sequence[Object]) -> str:
    """Return which pod had no node when its Job was ended, to follow how that was; "" if all had one.

    The pod itself is deleted by then.

    Args:
        job: The Job.
        events: Events of its namespace.
    """
    deleted = {str(event.get("message")).rpartition(" ")[2] for event in events_about(events, job, "SuccessfulDelete")}
    told = [(str((event.get("involvedObject") or {}).get("name")), event.get("reason"), event) for event in events]
    placed = {name for name, reason, _ in told if reason == "Scheduled"}
    for name, reason, event in told:
        if reason == "FailedScheduling" and name in deleted - placed:
            why = scheduling_obstacle(str(event.get("message")), namespace_of(job)).message
            return f"; its pod {name} {why.replace('cannot be scheduled', 'was not scheduled')}"
    return ""
