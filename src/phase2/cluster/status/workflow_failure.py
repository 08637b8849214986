"""Why a Workflow failed: the cause of its steps first, then that of its exit handler. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from phase2.cluster.objects import Object
from phase2.cluster.request.resources import format_duration
from phase2.cluster.status.nodes import Node, entry_phase, is_deadline, last_failed
from phase2.cluster.status.obstacles import flat


def failure_message(workflow: Object, nodes: Sequence[Node]) -> str:
    """Return how a failed Workflow ended, to follow "it".

    Args:
        workflow: The Workflow.
        nodes: Its nodes.
    """
    handler = last_failed(nodes, of_exit_handler=True)
    message = flat(str((workflow.get("status") or {}).get("message") or ""))
    if _met_deadline(message, nodes) or _failed_step(workflow, nodes) is not None:
        return steps_message(workflow, nodes) + (f"; its exit handler {handler.summary}" if handler else "")
    if handler is None:
        return f"failed: {message or 'the Workflow does not say why'}"
    has_steps = any(node.phase == "Succeeded" and not node.is_exit_handler for node in nodes)
    return f"finished its steps, but its exit handler {handler.summary}" if has_steps else handler.summary


def steps_message(workflow: Object, nodes: Sequence[Node]) -> str:
    """Return how the steps of a Workflow ended, without its exit handler, to follow "it".

    Args:
        workflow: The Workflow.
        nodes: Its nodes.
    """
    message = flat(str((workflow.get("status") or {}).get("message") or ""))
    failed = _failed_step(workflow, nodes)
    if _met_deadline(message, nodes):
        return _deadline_message(workflow, nodes)
    if failed is None:
        return (
            "has finished its steps" if entry_phase(workflow) == "Succeeded" else f"failed{message and f': {message}'}"
        )
    return f"{failed.summary}{f', after {failed.attempt} attempts' if failed.attempt > 1 else ''}"


def _failed_step(workflow: Object, nodes: Sequence[Node]) -> Node | None:
    """Return the step that a Workflow failed of; None if an attempt failed that a later one made good."""
    return None if entry_phase(workflow) == "Succeeded" else last_failed(nodes)


def _met_deadline(message: str, nodes: Sequence[Node]) -> bool:
    return is_deadline(message) or any(node.met_deadline for node in nodes if not node.is_exit_handler)


def _deadline_message(workflow: Object, nodes: Sequence[Node]) -> str:
    """Return that a time limit is over, and the last cause before it, as far as one is known."""
    template = (workflow.get("status") or {}).get("storedWorkflowTemplateSpec") or {}
    limit = (workflow.get("spec") or {}).get("activeDeadlineSeconds") or template.get("activeDeadlineSeconds")
    cause = last_failed([node for node in nodes if not node.was_stopped])
    before = f"; an earlier attempt {cause.summary}" if cause is not None else ""
    return f"failed: its deadline{f' of {format_duration(limit)}' if limit else ''} is over{before}"
