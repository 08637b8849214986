"""Submitting a run so that doing it twice does nothing twice, and going on with one that has ended."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from phase2.cluster.api.argo_installation import refuse_without_argo
from phase2.cluster.api.client import RunClient
from phase2.cluster.api.refusals import ForbiddenError, ObjectConflictError, ObjectGoneError
from phase2.cluster.labels import PLAN_ANNOTATION, REQUEST_ANNOTATION, RUN_LABEL
from phase2.cluster.objects import Object, annotation, name_of
from phase2.errors import RequestError, TransientError

Outcome = Literal["submitted", "already submitted", "already succeeded", "submitted again"]

# The object that is replaced, and whatever else of that name comes up in the same moment.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Submission:
    """What a submission came to.

    Attributes:
        outcome: In words.
        client: What carries the run.
        name: Name of the object that does.
        same_plan: Whether that object has the resources and settings that were asked for.
    """

    outcome: Outcome
    client: RunClient
    name: str
    same_plan: bool = True


def submit_run(client: RunClient, manifest: Object, others: Sequence[RunClient] = ()) -> Submission:
    """Create an object, unless it is there; one that ended without success is replaced, and goes on where it was.

    Args:
        client: The cluster, and the kind that is to carry the run.
        manifest: What that kind made of the plan.
        others: The other kinds, one of which may carry the run already.

    Raises:
        RequestError: Another request has this run id, the server refuses the object, or what it needs is not installed.
        TransientError: The server does not answer.
    """
    name, again = name_of(manifest), False
    for other in others:
        if (there := _seen(other, name)) is not None:
            if (found := _elsewhere(other, there, manifest)) is not None:
                return found
            _remove(other, name)
            again = True
    refuse_without_argo(client, manifest)
    for _ in range(_TRIES):
        try:
            client.create(manifest)
        except ObjectConflictError:
            present = client.get(name)
            if present is None:  # removed a moment ago
                continue
            if (found := _as_it_is(client, present, manifest)) is not None:
                return found
            again = True
            _remove(client, name)
            continue
        return Submission("submitted again" if again else "submitted", client, name)
    raise TransientError(
        f"The {client.carrier.kind} {name} is made and removed by somebody else.",
        why=f"It was there at each of {_TRIES} tries, and gone in between.",
        fix="Run it again.",
    )


def _as_it_is(client: RunClient, there: Object, manifest: Object) -> Submission | None:
    """What an existing object of the same request means; None where it has to be replaced."""
    _refuse_other_run(client, there, manifest)
    same = annotation(there, PLAN_ANNOTATION) == annotation(manifest, PLAN_ANNOTATION)
    ending = client.carrier.ending(there)
    if ending == "failed":
        return None
    if ending is None and client.carrier.is_stopping(there):
        raise TransientError(
            f"The run '{client.carrier.run_id(there)}' is still being stopped.",
            why="Its pod is given time to save what it has.",
            fix="Run it again in a moment.",
        )
    outcome: Outcome = "already submitted" if ending is None else "already succeeded"
    return Submission(outcome, client, name_of(there), same)


def _elsewhere(other: RunClient, there: Object, manifest: Object) -> Submission | None:
    """What an object of another kind means that carries the run; None where that is to be removed."""
    found = _as_it_is(other, there, manifest)
    if found is not None and found.outcome == "already submitted":
        kind, run_id = other.carrier.kind, other.carrier.run_id(there)
        raise RequestError(
            f"The run '{run_id}' is submitted already, as a {kind}.",
            why="Two that carry one run would do the same work.",
            fix=f"Follow it with 'phase2 status {run_id}', or stop it first with 'phase2 cancel {run_id}'.",
        )
    return found


def _seen(other: RunClient, name: str) -> Object | None:
    """An object of another kind; who may not see that kind has made none."""
    try:
        return other.get(name)
    except ForbiddenError:
        return None


def _remove(client: RunClient, name: str) -> None:
    """Delete an object and wait until its name is free."""
    with suppress(ObjectGoneError):
        client.delete(name)
    there = client.get(name)
    if there is not None:
        changes = client.watch(name, since=there["metadata"]["resourceVersion"])
        next((change for change in changes if change.is_deleted), None)


def _refuse_other_run(client: RunClient, there: Object, manifest: Object) -> None:
    run_id = manifest["metadata"]["labels"][RUN_LABEL]
    same_request = annotation(there, REQUEST_ANNOTATION) == annotation(manifest, REQUEST_ANNOTATION)
    if client.carrier.run_id(there) == run_id and same_request:
        return
    where = f"The {client.carrier.kind} {name_of(there)} in this namespace"
    raise run_id_taken(run_id, f"{where} was submitted for other settings.")


def run_id_taken(run_id: str, why: str) -> RequestError:
    """The error of a run id that was given to another request before.

    Args:
        run_id: The id.
        why: Where that request is.
    """
    return RequestError(
        f"The run id '{run_id}' belongs to another request.",
        why=why,
        fix="Give another --run-id, or none and let one be made.",
    )
