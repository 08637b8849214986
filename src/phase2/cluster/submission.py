"""Submitting a Job so that doing it twice does nothing twice, and going on with one that has ended."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from phase2.cluster.api_objects import Object, condition
from phase2.cluster.client import JobClient
from phase2.cluster.job import PLAN_ANNOTATION
from phase2.cluster.plan import CANCELLED_ANNOTATION, REQUEST_ANNOTATION, RUN_LABEL
from phase2.cluster.refusals import ObjectConflictError, ObjectGoneError
from phase2.errors import RequestError, TransientError

Outcome = Literal["submitted", "already submitted", "already succeeded", "submitted again"]

# The Job that is replaced, and whatever else of that name comes up in the same moment.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Submission:
    """What a submission came to.

    Attributes:
        outcome: In words.
        job: The Job in the cluster.
        same_plan: Whether that Job has the resources and settings that were asked for.
    """

    outcome: Outcome
    job: Object
    same_plan: bool = True


def submit_job(client: JobClient, job: Object) -> Submission:
    """Create a Job, unless it is there already; one that ended without success is replaced, and goes on where it was.

    Args:
        client: The cluster.
        job: What :func:`~phase2.cluster.job.build_job` made.

    Raises:
        RequestError: Another request has this run id, or the server refuses the Job.
        TransientError: The server does not answer.
    """
    name, again = job["metadata"]["name"], False
    for _ in range(_TRIES):
        try:
            made = client.create(dict(job))
        except ObjectConflictError:
            there = client.get(name)
            if there is None:  # removed a moment ago
                continue
            _refuse_other_run(there, job)
            if (found := _as_it_is(there, job)) is not None:
                return found
            again = True
            _remove(client, name)
            continue
        return Submission("submitted again" if again else "submitted", made)
    raise TransientError(
        f"The Job {name} is made and removed by somebody else.",
        why=f"It was there at each of {_TRIES} tries, and gone in between.",
        fix="Run it again.",
    )


def _as_it_is(there: Object, job: Object) -> Submission | None:
    """What an existing Job of the same request means; None where it has to be replaced."""
    same = _annotation(there, PLAN_ANNOTATION) == _annotation(job, PLAN_ANNOTATION)
    if condition(there, "Complete"):
        return Submission("already succeeded", there, same)
    if condition(there, "Failed"):
        return None
    if condition(there, "FailureTarget") or _annotation(there, CANCELLED_ANNOTATION):
        raise TransientError(
            f"The run '{there['metadata']['labels'][RUN_LABEL]}' is still being stopped.",
            why="Its pod is given time to save what it has.",
            fix="Run it again in a moment.",
        )
    return Submission("already submitted", there, same)


def _remove(client: JobClient, name: str) -> None:
    """Delete a Job and wait until its name is free."""
    with suppress(ObjectGoneError):
        client.delete(name)
    there = client.get(name)
    if there is not None:
        changes = client.watch_job(name, since=there["metadata"]["resourceVersion"])
        next((change for change in changes if change.is_deleted), None)


def _refuse_other_run(there: Object, job: Object) -> None:
    labels, run_id = there["metadata"].get("labels") or {}, job["metadata"]["labels"][RUN_LABEL]
    if labels.get(RUN_LABEL) == run_id and _annotation(there, REQUEST_ANNOTATION) == _annotation(
        job, REQUEST_ANNOTATION
    ):
        return
    raise RequestError(
        f"The run id '{run_id}' belongs to another request.",
        why=f"The Job {there['metadata']['name']} in this namespace was submitted for other settings.",
        fix="Give another --run-id, or none and let one be made.",
    )


def _annotation(job: Object, name: str) -> str | None:
    found = (job["metadata"].get("annotations") or {}).get(name)
    return None if found is None else str(found)
