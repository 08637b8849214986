"""What became of a run that a Job carries. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from phase2.cluster.api.refusals import quota_sentence
from phase2.cluster.labels import ALGORITHM_LABEL, CANCELLED_ANNOTATION, COMMAND_ANNOTATION, MODE_LABEL, RUN_LABEL
from phase2.cluster.manifests.job import QUEUE_LABEL
from phase2.cluster.objects import Object, condition, event_message, events_about, name_of, newest_first, time_of
from phase2.cluster.request.resources import human_duration
from phase2.cluster.run_state import RunState, State
from phase2.cluster.status.pod import PodState, pod_state


def job_state(
    job: Object, pods: Sequence[Object], events: Sequence[Object] = (), *, now: datetime | None = None
) -> RunState:
    """Say what became of a run.

    Args:
        job: Its Job.
        pods: The pods of the Job.
        events: What was noticed in its namespace.
        now: The time; None is that of this machine.
    """
    ordered = newest_first(pods)
    states = [pod_state(pod, events) for pod in ordered]
    attempt = _attempt(job, ordered, events)
    state, sentence = _summary(job, states, events, attempt, now or datetime.now(UTC))
    labels = job["metadata"].get("labels") or {}
    created = time_of(job["metadata"].get("creationTimestamp"))
    return RunState(
        run_id=str(labels.get(RUN_LABEL) or name_of(job)),
        kind="Job",
        name=name_of(job),
        algorithm=str(labels.get(ALGORITHM_LABEL) or "-"),
        mode=str(labels.get(MODE_LABEL) or "-"),
        state=state,
        sentence=sentence,
        attempt=attempt,
        pod=name_of(ordered[0]) if ordered else None,
        node=(ordered[0].get("spec") or {}).get("nodeName") if ordered else None,
        exit_code=next((one.exit_code for one in states if one.exit_code is not None), None),
        created=created or datetime.now(UTC),
        ended=_end(job),
        command=str((job["metadata"].get("annotations") or {}).get(COMMAND_ANNOTATION) or ""),
    )


def _summary(
    job: Object, states: Sequence[PodState], events: Sequence[Object], attempt: int, now: datetime
) -> tuple[State, str]:
    if condition(job, "Complete"):
        return "succeeded", f"succeeded{_took(job, attempt)}"
    is_cancelled = CANCELLED_ANNOTATION in (job["metadata"].get("annotations") or {})
    failure = condition(job, "Failed")
    if failure is not None:
        return ("cancelled", "was cancelled") if is_cancelled else ("failed", _failure(job, failure, states, attempt))
    if is_cancelled or condition(job, "FailureTarget"):
        return "stopping", "is being stopped: it saves what it has"
    if condition(job, "SuccessCriteriaMet"):
        return "running", "has finished, and the cluster takes note of it"
    if (job.get("spec") or {}).get("suspend"):
        queue = (job["metadata"].get("labels") or {}).get(QUEUE_LABEL)
        return "queued", f"waits for the queue '{queue}' to admit it" if queue else "is suspended"
    return _under_way(job, states, events, attempt, now)


def _under_way(
    job: Object, states: Sequence[PodState], events: Sequence[Object], attempt: int, now: datetime
) -> tuple[State, str]:
    before = next((one for one in states if one.phase == "failed"), None)
    history = f"; the attempt before {before.words}" if before else ""
    current = states[0] if states else None
    if current is not None and current.phase in {"waiting", "blocked", "running", "stopping"}:
        if current.phase == "running":
            return "running", f"{current.words}, attempt {attempt}{_since(job, now)}{history}"
        state: State = "stopping" if current.phase == "stopping" else "blocked"
        if current.phase == "waiting":
            state = "retrying" if before else "waiting"
        return state, f"{current.words}{history}"
    if current is not None and current.phase == "succeeded":
        return "running", "has finished, and the cluster takes note of it"
    refused = event_message(events, job, "FailedCreate")
    if refused is not None:
        return "blocked", f"gets no pod: {_refusal(refused)}{history}"
    if before is not None:
        return "retrying", f"waits a moment for attempt {attempt + 1}{history}"
    return "waiting", "waits for its pod to be made"


def _failure(job: Object, failure: Object, states: Sequence[PodState], attempt: int) -> str:
    last = next((one for one in states if one.phase == "failed"), None)
    reason = failure.get("reason")
    if reason == "DeadlineExceeded":
        limit = (job.get("spec") or {}).get("activeDeadlineSeconds")
        return f"failed: its deadline of {human_duration(limit)} is over" if limit else "failed: its deadline is over"
    if last is None:
        return f"failed: {' '.join(str(failure.get('message') or reason or 'the Job does not say why').split())}"
    if reason == "BackoffLimitExceeded":
        return f"failed for good after {attempt} attempts; the last one {last.words}"
    return last.words


def _refusal(message: str) -> str:
    """Why a pod cannot be made, out of what the Job's controller says."""
    quota = quota_sentence(message)
    if quota is not None:
        return quota
    flat = " ".join(message.split())
    for marker in ("violates PodSecurity", "no PriorityClass with name", "error looking up service account"):
        if marker in flat:
            return flat[flat.index(marker) :].rstrip(".")
    return flat.removeprefix("Error creating: ").rstrip(".")


def _attempt(job: Object, pods: Sequence[Object], events: Sequence[Object]) -> int:
    """Number of the newest attempt, of which no source knows all.

    Pods may be deleted, the Job does not count those that a disruption took, and events are forgotten after an hour.
    """
    status = job.get("status") or {}
    counted = int(status.get("failed") or 0) + int(status.get("succeeded") or 0) + int(status.get("active") or 0)
    made = {event.get("message") for event in events_about(events, job, "SuccessfulCreate")}
    return max(len(pods), counted, len(made))


def _end(job: Object) -> datetime | None:
    found = condition(job, "Complete") or condition(job, "Failed")
    return None if found is None else time_of(found.get("lastTransitionTime"))


def _took(job: Object, attempt: int) -> str:
    start, end = time_of((job.get("status") or {}).get("startTime")), _end(job)
    time = f" after {human_duration((end - start).total_seconds())}" if start and end else ""
    return time + (f" and {attempt} attempts" if attempt > 1 else "")


def _since(job: Object, now: datetime) -> str:
    start = time_of((job.get("status") or {}).get("startTime"))
    return f", {human_duration(max(0.0, (now - start).total_seconds()))} after the start" if start else ""
