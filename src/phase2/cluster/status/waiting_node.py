"""State of a node of a Workflow that has no pod, or whose pod is not listed, from the message that Argo keeps. Pure."""

from __future__ import annotations

from phase2.cluster.status.nodes import Node
from phase2.cluster.status.obstacles import (
    container_obstacle,
    creation_obstacle,
    flat,
    is_refused_creation,
    scheduling_obstacle,
)
from phase2.cluster.status.pod import PodState

_STARTING = {"ContainerCreating", "PodInitializing"}
_LOCK = "Waiting for "


def waiting_node_state(node: Node, namespace: str) -> PodState:
    """Return the state of a node that is pending.

    Argo copies what its pod waits for into the message, as ``reason: message``; without a pod the message is the error
    of the API server, which Argo retries where it is a quota, or the lock that the step waits for.

    Args:
        node: The node.
        namespace: Namespace of the Workflow.
    """
    message = flat(node.message)
    if is_refused_creation(message):
        return PodState.blocked(creation_obstacle(message))
    if message.startswith(_LOCK):
        return PodState("waiting", f"waits: {message}")
    reason, _, detail = message.partition(": ")
    if not message or reason in _STARTING:
        return PodState("waiting", "is being started")
    if reason == "Unschedulable":
        return PodState.blocked(scheduling_obstacle(detail, namespace))
    obstacle = container_obstacle(reason, detail, image=None, namespace=namespace)
    return PodState("blocked", f"waits: {message}") if obstacle is None else PodState.blocked(obstacle)
