"""State of a run that an Argo Workflow executes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from phase2.cluster.labels import ALGORITHM_LABEL, CANCELLED_ANNOTATION, COMMAND_ANNOTATION, MODE_LABEL, RUN_LABEL
from phase2.cluster.manifests.workflow import TEMPLATE, given_parameters
from phase2.cluster.objects import Object, name_of, newest_first, time_of
from phase2.cluster.request.resources import format_duration
from phase2.cluster.run_state import RunState, State
from phase2.cluster.status.elapsed import duration_phrase, elapsed_phrase
from phase2.cluster.status.nodes import POD_NODE_ANNOTATION, Node, last_ended, last_failed, nodes_of
from phase2.cluster.status.pod import PodState, pod_state
from phase2.config.levels import DEFAULT_LEVEL


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
    snapshot = _Snapshot(workflow, nodes, pods, events)
    state, message = snapshot.summary(now or datetime.now(UTC))
    ended = last_ended(nodes)
    current = next((node for node in reversed(nodes) if node.is_pod and node.is_active), ended)
    status, metadata = workflow.get("status") or {}, workflow["metadata"]
    created = time_of(metadata.get("creationTimestamp"))
    return RunState(
        run_id=workflow_run_id(workflow),
        kind="Workflow",
        name=name_of(workflow),
        algorithm=_label_or_parameter(workflow, ALGORITHM_LABEL, "algorithm") or "-",
        mode=_mode(workflow),
        state=state,
        message=message,
        step=current.step if current and current.is_active else None,
        attempt=current.attempt if current else 0,
        pod=name_of(ordered[0]) if ordered else None,
        node=(ordered[0].get("spec") or {}).get("nodeName") if ordered else None,
        exit_code=0 if state == "succeeded" else ended.code if ended else None,
        created=created or datetime.now(UTC),
        ended=time_of(status.get("finishedAt")) if status.get("phase") in {"Succeeded", "Failed", "Error"} else None,
        command=str((metadata.get("annotations") or {}).get(COMMAND_ANNOTATION) or ""),
    )


def workflow_run_id(workflow: Object) -> str:
    """Return the run id of a Workflow, including one that ``argo submit`` created."""
    return (
        _label_or_parameter(workflow, RUN_LABEL, "run-name")
        or given_parameters(workflow).get("resume")
        or name_of(workflow)
    )


def is_cancelled(workflow: Object) -> bool:
    """Whether ``phase2 cancel`` or ``argo stop`` stopped a Workflow."""
    annotations = workflow["metadata"].get("annotations") or {}
    return bool((workflow.get("spec") or {}).get("shutdown")) or CANCELLED_ANNOTATION in annotations


class _Snapshot:
    """A Workflow, its nodes and its pods at one point in time."""

    def __init__(
        self, workflow: Object, nodes: Sequence[Node], pods: Sequence[Object], events: Sequence[Object]
    ) -> None:
        self.spec, self.status = workflow.get("spec") or {}, workflow.get("status") or {}
        self.is_cancelled = is_cancelled(workflow)
        self.nodes = nodes
        self.events = events
        self.pods = {(pod["metadata"].get("annotations") or {}).get(POD_NODE_ANNOTATION): pod for pod in pods}

    def summary(self, now: datetime) -> tuple[State, str]:
        phase, message = self.status.get("phase"), " ".join(str(self.status.get("message") or "").split())
        has_failed = phase in {"Failed", "Error"}
        if phase == "Succeeded":
            return "succeeded", f"succeeded{self._duration()}"
        if self.is_cancelled:
            stopping: tuple[State, str] = "stopping", "is being stopped and saves a checkpoint"
            return ("cancelled", "was cancelled") if has_failed else stopping
        if has_failed:
            return "failed", self._failure(message)
        if not phase:
            return "queued", "waits for Argo's controller to start it"
        if phase == "Pending" or self.spec.get("suspend"):
            waits = f"waits: {message}" if message else "waits for its first step"
            return "waiting", "is suspended" if self.spec.get("suspend") else waits
        return self._active(now)

    def _active(self, now: datetime) -> tuple[State, str]:
        active = [node for node in self.nodes if node.is_pod and node.is_active]
        failed = last_failed(self.nodes)
        if not active:
            waiting = next((node for node in reversed(self.nodes) if node.is_active and node.message), None)
            if waiting is not None:
                return "waiting", f"waits in the step {waiting.step}: {' '.join(waiting.message.split())}"
            if failed is not None:
                return "retrying", f"waits for its next attempt; the previous one {failed.summary}"
            return "waiting", "waits for its next step"
        states = {node.name: self._state_of(node) for node in active}
        running = [node for node in active if states[node.name].phase == "running"]
        if len(running) > 1:
            return "running", f"runs {len(running)} steps at once{self._progress()}{self._since_start(now)}"
        current = (running or active)[-1]
        previous = failed if failed is not None and failed.step == current.step else None
        history = f"; the previous attempt {previous.summary}" if previous else ""
        summary = f"{states[current.name].message}, step {current.step}"
        if running:
            return "running", f"{summary}, attempt {current.attempt}{self._progress()}{self._since_start(now)}{history}"
        state: State = "stopping" if states[current.name].phase == "stopping" else "blocked"
        if states[current.name].phase not in {"blocked", "stopping"}:
            state = "retrying" if previous else "waiting"
        return state, f"{summary}{history}"

    def _state_of(self, node: Node) -> PodState:
        """Return the state of a node: that of its pod if it is listed; a node is updated after its pod."""
        pod = self.pods.get(node.name)
        if pod is not None:
            found = pod_state(pod, self.events)
            return PodState("running", "has ended") if found.phase in {"succeeded", "failed"} else found
        if node.phase == "Running":
            return PodState("running", "runs")
        message = " ".join(node.message.split())
        return PodState("blocked", f"waits: {message}") if message else PodState("waiting", "is being started")

    def _failure(self, message: str) -> str:
        failed = last_failed(self.nodes)
        if "deadline" in " ".join([message, *(node.message for node in self.nodes if node.has_failed)]):
            limit = self.spec.get("activeDeadlineSeconds")
            return f"failed: its deadline{f' of {format_duration(limit)}' if limit else ''} is over"
        if failed is None:
            return f"failed: {message or 'the Workflow does not say why'}"
        return f"{failed.summary}{f', after {failed.attempt} attempts' if failed.attempt > 1 else ''}"

    def _duration(self) -> str:
        return duration_phrase(time_of(self.status.get("startedAt")), time_of(self.status.get("finishedAt")))

    def _since_start(self, now: datetime) -> str:
        return elapsed_phrase(time_of(self.status.get("startedAt")), now)

    def _progress(self) -> str:
        progress = self.status.get("progress")
        return f", progress {progress}" if progress else ""


def _label_or_parameter(workflow: Object, label: str, parameter: str) -> str:
    labels = workflow["metadata"].get("labels") or {}
    return str(labels.get(label) or given_parameters(workflow).get(parameter) or "")


def _mode(workflow: Object) -> str:
    if given_parameters(workflow).get("competition") == "true":
        return "competition"
    template = str(((workflow.get("spec") or {}).get("workflowTemplateRef") or {}).get("name") or TEMPLATE)
    if template != TEMPLATE:  # submitted with argo submit: a sweep, an ensemble, predictions
        return template.removeprefix("phase2-")
    return _label_or_parameter(workflow, MODE_LABEL, "level") or DEFAULT_LEVEL
