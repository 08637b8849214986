"""Claims of run ids in a store: each id belongs to one run, on whatever machine it is claimed (``.ids/<run id>``)."""

from __future__ import annotations

from phase2.errors import ModelFileError
from phase2.runs.identity import is_run_prefix, run_id_of
from phase2.runs.keys import id_key
from phase2.runs.layout import check_run_id
from phase2.storage.base import KEY_BYTES, ObjectExistsError, ObjectMissingError, Store


class DamagedIdError(ModelFileError):
    """A claim of a run id that names no run of that id.

    Attributes:
        files: Number of files of the run that were deleted nevertheless; None where nothing was.
    """

    files: int | None = None


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
        DamagedIdError: What is stored under the id names no run of that id.
        TransientError: The store does not answer.
    """
    try:
        store.put(_key(run_id), prefix.encode(), if_absent=True)
    except ObjectExistsError:
        return run_of_id(store, run_id) or prefix
    return prefix


def run_of_id(store: Store, run_id: str) -> str | None:
    """Return the prefix of the run that an id belongs to, ``<family>/<name>``; None where it is free.

    Raises:
        DamagedIdError: What is stored names no run of that id.
    """
    key = _key(run_id)
    try:
        content = store.read(key)
    except ObjectMissingError:
        return None
    prefix = content[: KEY_BYTES + 1].decode("ascii", errors="replace")
    if is_run_prefix(prefix) and run_id_of(prefix) == run_id:
        return prefix
    raise damaged_id(store, run_id, f"It names no run with the id '{run_id}': {prefix[:100]!r}.")


def damaged_id(store: Store, run_id: str, why: str) -> DamagedIdError:
    """Return the error of a claim of a run id that names no run of that id."""
    fix = "Remove this object with the tools of the store; no run is lost by that."
    return DamagedIdError(f"'{_key(run_id)}' in {store.url} is damaged.", why=why, fix=fix)


def free_run_id(store: Store, run_id: str, prefix: str) -> None:
    """Release the id of a run that is removed; nothing where it belongs to another one.

    Raises:
        DamagedIdError: What is stored names no run of that id; it is left as it is.
    """
    if run_of_id(store, run_id) == prefix:
        store.delete(_key(run_id))


def _key(run_id: str) -> str:
    return id_key(check_run_id(run_id))
