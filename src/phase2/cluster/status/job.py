"""State of a run that a Job executes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from phase2.cluster.api.errors import quota_message
from phase2.cluster.labels import ALGORITHM_LABEL, CANCELLED_ANNOTATION, COMMAND_ANNOTATION, MODE_LABEL, RUN_LABEL
from phase2.cluster.manifests.job import QUEUE_LABEL
from phase2.cluster.objects import Object, condition, event_message, events_about, name_of, newest_first, time_of
from phase2.cluster.request.resources import format_duration
from phase2.cluster.run_state import RunState, State
from phase2.cluster.status.elapsed import duration_phrase, elapsed_phrase
from phase2.cluster.status.pod import PodState, pod_state


def job_state(
    job: Object, pods: Sequence[Object], events: Sequence[Object] = (), *, now: datetime | None = None
) -> RunState:
    """Return the state of a run.

    Args:
        job: Its Job.
        pods: The pods of the Job.
        events: Events of its namespace.
        now: The current time; None reads this machine's clock.
    """
    ordered = newest_first(pods)
    states = [pod_state(pod, events) for pod in ordered]
    attempt = _attempt(job, ordered, events)
    state, message = _summary(job, states, events, attempt, now or datetime.now(UTC))
    labels = job["metadata"].get("labels") or {}
    created = time_of(job["metadata"].get("creationTimestamp"))
    return RunState(
        run_id=str(labels.get(RUN_LABEL) or name_of(job)),
        kind="Job",
        name=name_of(job),
        algorithm=str(labels.get(ALGORITHM_LABEL) or "-"),
        mode=str(labels.get(MODE_LABEL) or "-"),
        state=state,
        message=message,
        attempt=attempt,
        pod=name_of(ordered[0]) if ordered else None,
        node=(ordered[0].get("spec") or {}).get("nodeName") if ordered else None,
        exit_code=next((pod.exit_code for pod in states if pod.exit_code is not None), None),
        created=created or datetime.now(UTC),
        ended=_end(job),
        command=str((job["metadata"].get("annotations") or {}).get(COMMAND_ANNOTATION) or ""),
    )


def _summary(
    job: Object, states: Sequence[PodState], events: Sequence[Object], attempt: int, now: datetime
) -> tuple[State, str]:
    if condition(job, "Complete"):
        return "succeeded", f"succeeded{_duration(job, attempt)}"
    is_cancelled = CANCELLED_ANNOTATION in (job["metadata"].get("annotations") or {})
    failure = condition(job, "Failed")
    if failure is not None:
        return ("cancelled", "was cancelled") if is_cancelled else ("failed", _failure(job, failure, states, attempt))
    if is_cancelled or condition(job, "FailureTarget"):
        return "stopping", "is being stopped and saves a checkpoint"
    if condition(job, "SuccessCriteriaMet"):
        return "running", "has finished; its Job is being completed"
    if (job.get("spec") or {}).get("suspend"):
        queue = (job["metadata"].get("labels") or {}).get(QUEUE_LABEL)
        return "queued", f"waits for the queue '{queue}' to admit it" if queue else "is suspended"
    return _active(job, states, events, attempt, now)


def _active(
    job: Object, states: Sequence[PodState], events: Sequence[Object], attempt: int, now: datetime
) -> tuple[State, str]:
    previous = next((pod for pod in states if pod.phase == "failed"), None)
    history = f"; the previous attempt {previous.message}" if previous else ""
    current = states[0] if states else None
    if current is not None and current.phase in {"waiting", "blocked", "running", "stopping"}:
        if current.phase == "running":
            return "running", f"{current.message}, attempt {attempt}{elapsed_phrase(_start(job), now)}{history}"
        state: State = "stopping" if current.phase == "stopping" else "blocked"
        if current.phase == "waiting":
            state = "retrying" if previous else "waiting"
        return state, f"{current.message}{history}"
    if current is not None and current.phase == "succeeded":
        return "running", "has finished; its Job is being completed"
    rejected = event_message(events, job, "FailedCreate")
    if rejected is not None:
        return "blocked", f"gets no pod: {_creation_error(rejected)}{history}"
    if previous is not None:
        return "retrying", f"waits to start attempt {attempt + 1}{history}"
    return "waiting", "waits for its pod to be created"


def _failure(job: Object, failure: Object, states: Sequence[PodState], attempt: int) -> str:
    last = next((pod for pod in states if pod.phase == "failed"), None)
    reason = failure.get("reason")
    if reason == "DeadlineExceeded":
        limit = (job.get("spec") or {}).get("activeDeadlineSeconds")
        return f"failed: its deadline of {format_duration(limit)} is over" if limit else "failed: its deadline is over"
    if last is None:
        return f"failed: {' '.join(str(failure.get('message') or reason or 'the Job does not say why').split())}"
    if reason == "BackoffLimitExceeded":
        return f"failed for good after {attempt} attempts; the last one {last.message}"
    return last.message


def _creation_error(message: str) -> str:
    """Return why a pod cannot be created, out of the message of the Job controller."""
    quota = quota_message(message)
    if quota is not None:
        return quota
    flat = " ".join(message.split())
    for marker in ("violates PodSecurity", "no PriorityClass with name", "error looking up service account"):
        if marker in flat:
            return flat[flat.index(marker) :].rstrip(".")
    return flat.removeprefix("Error creating: ").rstrip(".")


def _attempt(job: Object, pods: Sequence[Object], events: Sequence[Object]) -> int:
    """Return the number of the newest attempt, which no single source knows.

    Pods may be deleted, the Job does not count pods lost to disruptions, and events expire after an hour.
    """
    status = job.get("status") or {}
    counted = int(status.get("failed") or 0) + int(status.get("succeeded") or 0) + int(status.get("active") or 0)
    created = {event.get("message") for event in events_about(events, job, "SuccessfulCreate")}
    return max(len(pods), counted, len(created))


def _end(job: Object) -> datetime | None:
    found = condition(job, "Complete") or condition(job, "Failed")
    return None if found is None else time_of(found.get("lastTransitionTime"))


def _duration(job: Object, attempt: int) -> str:
    return duration_phrase(_start(job), _end(job)) + (f" and {attempt} attempts" if attempt > 1 else "")


def _start(job: Object) -> datetime | None:
    return time_of((job.get("status") or {}).get("startTime"))
