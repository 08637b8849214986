"""What a Workflow does, what it waits for, or how it ended: a keyword and one sentence that names the cause. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from phase2.cluster.objects import Object, name_of, namespace_of, time_of
from phase2.cluster.run_state import State
from phase2.cluster.status.elapsed import duration_phrase, elapsed_phrase
from phase2.cluster.status.group import group_size, group_states, is_of_group
from phase2.cluster.status.nodes import ENDED_PHASES, POD_NODE_ANNOTATION, Node, entry_phase, last_failed
from phase2.cluster.status.obstacles import creation_obstacle, flat, is_refused_creation
from phase2.cluster.status.pod import SAVES, PodState, pod_state
from phase2.cluster.status.waiting_node import waiting_node_state
from phase2.cluster.status.workflow_failure import failure_message, steps_message

_START_SECONDS = 60.0  # Argo's controller starts a Workflow within a few seconds


def is_cancelled(workflow: Object) -> bool:
    """Whether ``phase2 cancel`` or ``argo stop`` stopped a Workflow.

    The annotation of ``phase2 cancel`` does not tell: ``argo resubmit`` and ``argo retry`` keep it.
    """
    return bool((workflow.get("spec") or {}).get("shutdown"))


class WorkflowSnapshot:
    """A Workflow, its nodes and its pods at one point in time.

    Args:
        workflow: The Workflow.
        nodes: Its nodes, in the order of their start.
        pods: Its pods.
        events: Events of its namespace.
    """

    def __init__(
        self, workflow: Object, nodes: Sequence[Node], pods: Sequence[Object], events: Sequence[Object]
    ) -> None:
        self._workflow = workflow
        self._spec, self._status = workflow.get("spec") or {}, workflow.get("status") or {}
        self._nodes = nodes
        self._events = events
        self._pods = {(pod["metadata"].get("annotations") or {}).get(POD_NODE_ANNOTATION): pod for pod in pods}

    def summary(self, now: datetime) -> tuple[State, str]:
        """Return the state and its sentence.

        Args:
            now: The current time.
        """
        phase = self._status.get("phase")
        if phase in ENDED_PHASES:
            return self._ended(str(phase))
        if is_cancelled(self._workflow):
            return "stopping", self._stopping()
        if not phase:
            return "queued", self._not_started(now)
        if entry_phase(self._workflow) in ENDED_PHASES:
            return self._finishing()
        if self._spec.get("suspend") and not self._is_running():
            return "waiting", f"is suspended until 'argo resume {name_of(self._workflow)}'{self._after()}"
        return self._pending() if phase == "Pending" else self._active(now)

    def _ended(self, phase: str) -> tuple[State, str]:
        if phase == "Succeeded":
            duration = duration_phrase(time_of(self._status.get("startedAt")), time_of(self._status.get("finishedAt")))
            return "succeeded", f"succeeded{duration}"
        if is_cancelled(self._workflow):
            return "cancelled", "was cancelled"
        return "failed", failure_message(self._workflow, self._nodes)

    def _pending(self) -> tuple[State, str]:
        """Return the state of a Workflow that Argo holds back: for a lock, a limit of its own, or a volume."""
        message = flat(str(self._status.get("message") or ""))
        if is_refused_creation(message):
            return "blocked", creation_obstacle(message).message
        return "waiting", f"waits: {message}" if message else "waits for its first step"

    def _not_started(self, now: datetime) -> str:
        created = time_of(self._workflow["metadata"].get("creationTimestamp"))
        waited = 0.0 if created is None else (now - created).total_seconds()
        if waited < _START_SECONDS:
            return "waits for Argo's controller to start it"
        return (
            "waits for Argo's controller to start it, which takes seconds: the controller is not running, does not "
            f"watch the namespace {namespace_of(self._workflow)}, or has an account that the admission policies do "
            "not know (argo.controllers of the chart)"
        )

    def _active(self, now: datetime) -> tuple[State, str]:
        active = [node for node in self._nodes if node.is_pod and node.is_active]
        if not self._nodes and self._status.get("offloadNodeStatusVersion"):
            shown = f"'argo get {name_of(self._workflow)}' shows its steps, which Argo keeps in a database"
            return "running", f"runs{self._progress()}{self._since_start(now)}; {shown}"
        if not active:
            return self._between_steps()
        together = self._together()
        if together is not None:
            active = [node for node in active if not node.is_follower] or active
        states = {node.name: together or self._state_of(node) for node in active}
        running = [node for node in active if states[node.name].phase == "running"]
        blocked = [node for node in active if states[node.name].phase == "blocked"]
        if len(running) > 1 or (running and blocked):
            steps = f"runs {len(running)} steps at once" if len(running) > 1 else f"runs, step {running[0].step}"
            others = "".join(f"; the step {node.step} {states[node.name].message}" for node in blocked[:1])
            return "running", f"{steps}{self._progress()}{self._since_start(now)}{others}"
        current = (running or blocked or active)[-1]
        found, history = states[current.name], self._after(None if together else current.step)
        # A sentence that says what to do is the same for a Job.
        summary = found.message if found.fix else f"{found.message}, step {current.step}"
        if running:
            attempt = f"attempt {current.attempt}{self._progress()}{self._since_start(now)}"
            return "running", f"{summary}, {attempt}{history}{self._suspended()}"
        fix = f"; {found.fix}" if found.fix else ""
        if found.phase in {"stopping", "blocked"}:
            return ("stopping" if found.phase == "stopping" else "blocked"), f"{summary}{history}{fix}"
        return "retrying" if history else "waiting", f"{summary}{history}"

    def _together(self) -> PodState | None:
        """Return the state of the pods that train the run together; None where it has none, or all have failed."""
        pods = [pod for pod in self._pods.values() if is_of_group(pod)]
        states = group_states(group_size(self._workflow), pods, self._events) if pods else []
        return states[0] if states and states[0].phase not in {"failed", "succeeded"} else None

    def _between_steps(self) -> tuple[State, str]:
        """Return the state of a Workflow that has no pod: it waits for another attempt, for a lock, or for Argo."""
        failed = last_failed(self._nodes)
        waiting = next((node for node in reversed(self._nodes) if node.is_active and node.message), None)
        if waiting is not None and waiting.backoff is None:
            found = waiting_node_state(waiting, namespace_of(self._workflow))
            if found.phase == "blocked":
                return "blocked", f"{found.message}, step {waiting.step}{self._after(waiting.step)}"
            return "waiting", f"waits in the step {waiting.step}: {flat(waiting.message)}{self._after(waiting.step)}"
        if failed is None:
            return "waiting", "waits for its next step"
        pause = f"{waiting.backoff} " if waiting is not None else ""
        return "retrying", f"waits {pause}for its next attempt; the previous one {failed.summary}"

    def _finishing(self) -> tuple[State, str]:
        """Return the state of a Workflow whose steps have ended, and whose exit handler has not."""
        steps = steps_message(self._workflow, self._nodes)
        handlers = [node for node in self._nodes if node.is_exit_handler and node.is_active]
        if not handlers:
            return "running", f"{steps}; its end is being recorded"
        pods = [node for node in handlers if node.is_pod]
        if not pods:
            before = last_failed(self._nodes, of_exit_handler=True)
            why = f", which {before.summary}" if before is not None else ""
            return "running", f"{steps}; it waits for its exit handler{why}"
        found = self._state_of(pods[-1])
        fix = f"; {found.fix}" if found.fix else ""
        return ("blocked" if found.phase == "blocked" else "running"), f"{steps}; its exit handler {found.message}{fix}"

    def _stopping(self) -> str:
        active = [node for node in self._nodes if node.is_pod and node.is_active and node.is_exit_handler]
        if active:
            return f"is being stopped; its exit handler {self._state_of(active[-1]).message}"
        states = [pod_state(pod) for pod in self._pods.values()]
        for state in states:
            if state.is_lost:
                return f"is being stopped, and {state.message}; {state.fix}"
        started = any(state.phase in {"running", "stopping"} and state.has_started for state in states)
        return SAVES if started or not states else "is being stopped"

    def _state_of(self, node: Node) -> PodState:
        """Return the state of a node: that of its pod if it is listed; a node is updated after its pod."""
        pod = self._pods.get(node.name)
        if pod is not None:
            found = pod_state(pod, self._events)
            return PodState("running", "has ended") if found.phase in {"succeeded", "failed"} else found
        if node.phase == "Running":
            return PodState("running", "runs")
        return waiting_node_state(node, namespace_of(self._workflow))

    def _is_running(self) -> bool:
        return any(node.is_pod and node.is_active and self._state_of(node).phase == "running" for node in self._nodes)

    def _after(self, step: str | None = None) -> str:
        """Return how the previous attempt of a step failed, or of any step; empty if none has."""
        failed = last_failed(self._nodes)
        if failed is None or step not in {None, failed.step}:
            return ""
        return f"; the previous attempt {failed.summary}"

    def _suspended(self) -> str:
        return "; it is suspended, and starts no further step" if self._spec.get("suspend") else ""

    def _since_start(self, now: datetime) -> str:
        return elapsed_phrase(time_of(self._status.get("startedAt")), now)

    def _progress(self) -> str:
        progress = self._status.get("progress")
        return f", progress {progress}" if progress else ""
