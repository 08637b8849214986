"""State of a run that a Job executes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from phase2.cluster.labels import CANCELLED_ANNOTATION
from phase2.cluster.objects import (
    Object,
    annotation,
    condition,
    event_message,
    events_about,
    last_seen,
    name_of,
    namespace_of,
    newest_first,
    time_of,
)
from phase2.cluster.request.resources import format_duration
from phase2.cluster.run_state import RunState, State
from phase2.cluster.status.elapsed import duration_phrase, elapsed_phrase
from phase2.cluster.status.group import group_attempts, group_size, group_states, of_rank
from phase2.cluster.status.identity import job_identity
from phase2.cluster.status.obstacles import creation_obstacle
from phase2.cluster.status.placement import unplaced_pod
from phase2.cluster.status.pod import SAVES, STOPPED_EARLY, PodState, pod_state
from phase2.cluster.status.queue import admission_message

# How an attempt ended that was stopped from outside.
_STOPPED = ("was stopped", "was killed")


def job_state(
    job: Object, pods: Sequence[Object], events: Sequence[Object] = (), *, now: datetime | None = None
) -> RunState:
    """Return the state of a run; of several pods that train it together, its pod is that of rank 0.

    Args:
        job: Its Job.
        pods: The pods of the Job.
        events: Events of its namespace.
        now: The current time; None reads this machine's clock.
    """
    ordered = newest_first(pods)
    events = _without_old_rejections(events, ordered)
    size = group_size(job)
    states = group_states(size, ordered, events) if size > 1 else [pod_state(pod, events) for pod in ordered]
    attempt = _attempt(job, ordered, events)
    state, message = _summary(job, states, events, attempt, now or datetime.now(UTC))
    identity, created = job_identity(job), time_of(job["metadata"].get("creationTimestamp"))
    leading = next(iter(of_rank(ordered, 0)), None)
    return RunState(
        run_id=identity.run_id,
        kind="Job",
        name=name_of(job),
        namespace=namespace_of(job),
        algorithm=identity.algorithm or "-",
        mode=identity.mode or "-",
        state=state,
        message=message,
        attempt=attempt,
        pod=None if leading is None else name_of(leading),
        node=None if leading is None else (leading.get("spec") or {}).get("nodeName"),
        exit_code=next((pod.exit_code for pod in states if pod.exit_code is not None), None),
        created=created or datetime.now(UTC),
        ended=_end(job),
        command=identity.command,
    )


def _without_old_rejections(events: Sequence[Object], pods: Sequence[Object]) -> list[Object]:
    """Drop the events of pods that could not be created before the newest pod was: the cause has passed."""
    created = time_of(pods[0]["metadata"].get("creationTimestamp")) if pods else None

    def has_passed(event: Object) -> bool:
        seen = time_of(last_seen(event) or None)
        return event.get("reason") == "FailedCreate" and bool(created and seen and seen <= created)

    return [event for event in events if not has_passed(event)]


def _summary(
    job: Object, states: Sequence[PodState], events: Sequence[Object], attempt: int, now: datetime
) -> tuple[State, str]:
    if condition(job, "Complete"):
        return "succeeded", f"succeeded{_duration(job, attempt)}"
    is_cancelled = annotation(job, CANCELLED_ANNOTATION) is not None
    failure = condition(job, "Failed")
    if failure is not None:
        unplaced = unplaced_pod(job, events) if failure.get("reason") == "DeadlineExceeded" else ""
        failed = f"{_failure(job, failure, states, attempt)}{unplaced}"
        return ("cancelled", "was cancelled") if is_cancelled else ("failed", failed)
    ending = condition(job, "FailureTarget")
    if is_cancelled or ending is not None:
        return "stopping", _stopping(job, None if is_cancelled else ending, states, attempt)
    if condition(job, "SuccessCriteriaMet"):
        return "running", "has finished; its Job is being completed"
    if (job.get("spec") or {}).get("suspend"):
        waits = admission_message(job, events, kind="job")
        return "queued", waits or f"is suspended{_after(states)}"
    return _active(job, states, events, attempt, now)


def _stopping(job: Object, ending: Object | None, states: Sequence[PodState], attempt: int) -> str:
    """Return what a Job that is being stopped does; one whose pod has not started has nothing to save."""
    cause = "" if ending is None else f"; it {_failure(job, ending, states, attempt)}"
    if states and states[0].is_lost:
        return f"is being stopped, and {states[0].message}{cause}; {states[0].fix}"
    if states and (states[0].phase in {"waiting", "blocked"} or not states[0].has_started):
        return f"{STOPPED_EARLY}{cause}"
    has_ended = bool(states) and states[0].phase == "failed"
    return f"is being completed{cause}" if has_ended and cause else f"{SAVES}{cause}"


def _active(
    job: Object, states: Sequence[PodState], events: Sequence[Object], attempt: int, now: datetime
) -> tuple[State, str]:
    history = _after(states)
    current = states[0] if states else None
    if current is not None and current.phase in {"waiting", "blocked", "running", "stopping"}:
        if current.phase == "running":
            return "running", f"{current.message}, attempt {attempt}{elapsed_phrase(_start(job), now)}{history}"
        state: State = "stopping" if current.phase == "stopping" else "blocked"
        if current.phase == "waiting":
            state = "retrying" if history else "waiting"
        return state, f"{current.message}{history}{f'; {current.fix}' if current.fix else ''}"
    if current is not None and current.phase == "succeeded":
        return "running", "has finished; its Job is being completed"
    rejected = event_message(events, job, "FailedCreate")
    if rejected is not None:
        return "blocked", f"{creation_obstacle(rejected).message}{history}"
    if history:
        return "retrying", f"waits to start attempt {attempt + 1}{history}"
    return "waiting", "waits for its pod to be created"


def _after(states: Sequence[PodState]) -> str:
    """Return how the previous attempt ended, to follow a state; empty before the first end."""
    previous = next((pod for pod in states if pod.phase == "failed"), None)
    return f"; the previous attempt {previous.message}" if previous else ""


def _failure(job: Object, failure: Object, states: Sequence[PodState], attempt: int) -> str:
    last = next((pod for pod in states if pod.phase == "failed"), None)
    reason = failure.get("reason")
    if reason == "DeadlineExceeded":
        limit = (job.get("spec") or {}).get("activeDeadlineSeconds")
        return f"failed: its deadline{f' of {format_duration(limit)}' if limit else ''} is over{_cause(states)}"
    if last is None:
        return f"failed: {' '.join(str(failure.get('message') or reason or 'the Job does not say why').split())}"
    if reason == "BackoffLimitExceeded":
        return f"failed for good after {attempt} attempts; the last one {last.message}"
    return last.message


def _cause(states: Sequence[PodState]) -> str:
    """Return what kept a run from ending before its deadline, as far as it is known: an attempt that failed by itself.

    The deadline itself stops the last attempt with SIGTERM, or with SIGKILL after the grace period.
    """
    by_itself = (pod for pod in states if pod.phase == "failed" and not pod.message.startswith(_STOPPED))
    failed = next(by_itself, None)
    return f"; an earlier attempt {failed.message}" if failed else ""


def _attempt(job: Object, pods: Sequence[Object], events: Sequence[Object]) -> int:
    """Return the number of the newest attempt, which no single source knows.

    Pods may be deleted, the Job does not count pods lost to disruptions, and events expire after an hour.
    """
    status = job.get("status") or {}
    counted = int(status.get("failed") or 0) + int(status.get("succeeded") or 0) + int(status.get("active") or 0)
    created = {event.get("message") for event in events_about(events, job, "SuccessfulCreate")}
    return group_attempts(group_size(job), pods, len(pods), counted, len(created))


def _end(job: Object) -> datetime | None:
    found = condition(job, "Complete") or condition(job, "Failed")
    return None if found is None else time_of(found.get("lastTransitionTime"))


def _duration(job: Object, attempt: int) -> str:
    return duration_phrase(_start(job), _end(job)) + (f" and {attempt} attempts" if attempt > 1 else "")


def _start(job: Object) -> datetime | None:
    return time_of((job.get("status") or {}).get("startTime"))
