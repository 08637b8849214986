"""Claims of run ids in a store: each id belongs to one run, on whatever machine it is claimed (``.ids/<run id>``)."""

from __future__ import annotations

from phase2.runs.keys import id_key
from phase2.runs.layout import check_run_id
from phase2.storage.base import ObjectExistsError, ObjectMissingError, Store, check_key


def claim_run_id(store: Store, run_id: str, prefix: str) -> str:
    """Claim an id for a run unless it is taken; of several concurrent claims exactly one succeeds.

    Args:
        store: The store.
        run_id: The id.
        prefix: Prefix of the run: ``<family>/<name>``.

    Returns:
        Prefix of the run that the id belongs to.

    Raises:
        RequestError: The store cannot be used.
        TransientError: The store does not answer.
    """
    try:
        store.put(_key(run_id), prefix.encode(), if_absent=True)
    except ObjectExistsError:
        return run_of_id(store, run_id) or prefix
    return prefix


def run_of_id(store: Store, run_id: str) -> str | None:
    """Return the prefix of the run that an id belongs to, ``<family>/<name>``; None where it is free."""
    try:
        return check_key(store.read(_key(run_id)).decode())
    except ObjectMissingError:
        return None


def free_run_id(store: Store, run_id: str, prefix: str) -> None:
    """Release the id of a run that is removed."""
    if run_of_id(store, run_id) == prefix:
        store.delete(_key(run_id))


def _key(run_id: str) -> str:
    return id_key(check_run_id(run_id))
