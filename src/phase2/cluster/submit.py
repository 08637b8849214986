"""Submitting a run, idempotently: an existing run is reused, and one that failed or was cancelled is replaced."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from phase2.cluster.api.argo_installation import require_argo
from phase2.cluster.api.client import RunClient
from phase2.cluster.api.errors import ForbiddenError, ObjectConflictError, ObjectGoneError
from phase2.cluster.api.groups import require_group
from phase2.cluster.labels import PLAN_ANNOTATION, REQUEST_ANNOTATION, RUN_LABEL
from phase2.cluster.objects import Object, annotation, name_of
from phase2.errors import RequestError, TransientError

SubmissionOutcome = Literal["submitted", "already submitted", "already succeeded", "submitted again"]

# One attempt meets the object that is replaced; the others are for races with other clients.
_MAX_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Submission:
    """Result of a submission.

    Attributes:
        outcome: What was done.
        client: Client of the backend that executes the run.
        name: Name of the object that executes it.
        same_plan: Whether that object has the requested resources and settings.
    """

    outcome: SubmissionOutcome
    client: RunClient
    name: str
    same_plan: bool = True


def submit_run(client: RunClient, manifest: Object, others: Sequence[RunClient] = ()) -> Submission:
    """Create an object unless it exists; one that failed or was cancelled is replaced, and its run resumes.

    Args:
        client: Client of the backend that is to execute the run.
        manifest: The object to create.
        others: Clients of the other backends, one of which may execute the run already.

    Raises:
        RequestError: Another request has this run id, the server rejects the object, or what it needs is not installed.
        TransientError: The server does not answer.
    """
    name, again = name_of(manifest), False
    for other in others:
        if (existing := _get_if_allowed(other, name)) is not None:
            if (found := _reuse_other_backend(other, existing, manifest)) is not None:
                return found
            _delete_and_wait(other, name)
            again = True
    require_argo(client, manifest)
    require_group(client, manifest)
    for _ in range(_MAX_ATTEMPTS):
        try:
            client.create(manifest)
        except ObjectConflictError:
            existing = client.get(name)
            if existing is None:  # deleted a moment ago
                continue
            if (found := _reuse(client, existing, manifest)) is not None:
                return found
            again = True
            _delete_and_wait(client, name)
            continue
        return Submission("submitted again" if again else "submitted", client, name)
    raise TransientError(
        f"The {client.backend.kind} {name} is created and deleted by another client.",
        why=f"It existed at each of {_MAX_ATTEMPTS} attempts, and was gone in between.",
        fix="Run it again.",
    )


def _reuse(client: RunClient, existing: Object, manifest: Object) -> Submission | None:
    """Return the submission of an existing object of the same request; None if it has to be replaced."""
    _refuse_other_request(client, existing, manifest)
    same = annotation(existing, PLAN_ANNOTATION) == annotation(manifest, PLAN_ANNOTATION)
    ended = client.backend.outcome(existing)
    if ended == "failed":
        return None
    if ended is None and client.backend.is_stopping(existing):
        raise TransientError(
            f"The run '{client.backend.run_id(existing)}' is still being stopped.",
            why="Its pod is saving a checkpoint.",
            fix="Run it again in a moment.",
        )
    outcome: SubmissionOutcome = "already submitted" if ended is None else "already succeeded"
    return Submission(outcome, client, name_of(existing), same)


def _reuse_other_backend(other: RunClient, existing: Object, manifest: Object) -> Submission | None:
    """Return the submission of an existing object of another backend; None if it has to be deleted."""
    found = _reuse(other, existing, manifest)
    if found is not None and found.outcome == "already submitted":
        kind, run_id = other.backend.kind, other.backend.run_id(existing)
        raise RequestError(
            f"The run '{run_id}' is submitted already, as a {kind}.",
            why="Two objects that execute one run would do the same work.",
            fix=f"Follow it with 'phase2 status {run_id}', or stop it first with 'phase2 cancel {run_id}'.",
        )
    return found


def _get_if_allowed(other: RunClient, name: str) -> Object | None:
    """Return an object of another backend; a user who may not read that kind has created none."""
    try:
        return other.get(name)
    except ForbiddenError:
        return None


def _delete_and_wait(client: RunClient, name: str) -> None:
    """Delete an object and wait until its name is free."""
    with suppress(ObjectGoneError):
        client.delete(name)
    leaving = client.get(name)
    if leaving is not None:
        changes = client.watch(name, since=leaving["metadata"]["resourceVersion"])
        next((change for change in changes if change.is_deleted), None)


def _refuse_other_request(client: RunClient, existing: Object, manifest: Object) -> None:
    run_id = manifest["metadata"]["labels"][RUN_LABEL]
    same_request = annotation(existing, REQUEST_ANNOTATION) == annotation(manifest, REQUEST_ANNOTATION)
    if client.backend.run_id(existing) == run_id and same_request:
        return
    where = f"The {client.backend.kind} {name_of(existing)} in this namespace"
    raise run_id_taken(run_id, f"{where} was submitted for other settings.")


def run_id_taken(run_id: str, why: str) -> RequestError:
    """Return the error of a run id that another request already has.

    Args:
        run_id: The id.
        why: Where the other request was found.
    """
    return RequestError(
        f"The run id '{run_id}' belongs to another request.",
        why=why,
        fix="Give another --run-id, or none and let one be made.",
    )
