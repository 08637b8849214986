"""State of a run that an Argo Workflow executes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from phase2.cluster.objects import Object, name_of, namespace_of, newest_first, time_of
from phase2.cluster.run_state import RunState
from phase2.cluster.status.group import of_rank
from phase2.cluster.status.identity import workflow_identity
from phase2.cluster.status.nodes import last_ended, nodes_of
from phase2.cluster.status.workflow_summary import WorkflowSnapshot


def workflow_state(
    workflow: Object, pods: Sequence[Object], events: Sequence[Object] = (), *, now: datetime | None = None
) -> RunState:
    """Return the state of a run.

    Args:
        workflow: Its Workflow.
        pods: The pods of the Workflow.
        events: Events of its namespace.
        now: The current time; None reads this machine's clock.
    """
    nodes, ordered = nodes_of(workflow), newest_first(pods)
    state, message = WorkflowSnapshot(workflow, nodes, pods, events).summary(now or datetime.now(UTC))
    ended = last_ended(nodes)
    active = [node for node in reversed(nodes) if node.is_pod and node.is_active]
    current = next((node for node in active if not node.is_follower), ended)
    leading = next(iter(of_rank(ordered, 0)), None)
    status, identity = workflow.get("status") or {}, workflow_identity(workflow)
    created = time_of(workflow["metadata"].get("creationTimestamp"))
    return RunState(
        run_id=identity.run_id,
        kind="Workflow",
        name=name_of(workflow),
        namespace=namespace_of(workflow),
        algorithm=identity.algorithm or "-",
        mode=identity.mode or "-",
        state=state,
        message=message,
        step=current.step if current and current.is_active else None,
        attempt=current.attempt if current else 0,
        pod=None if leading is None else name_of(leading),
        node=None if leading is None else (leading.get("spec") or {}).get("nodeName"),
        exit_code=0 if state == "succeeded" else ended.code if ended else None,
        created=created or datetime.now(UTC),
        ended=time_of(status.get("finishedAt")) if status.get("phase") in {"Succeeded", "Failed", "Error"} else None,
        command=identity.command,
    )
