"""Deleting a run from a store: this run and nothing else, and so that no incomplete run is ever listed as whole."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from phase2.errors import ModelFileError, Phase2Error, RequestError, TransientError
from phase2.runs.identity import UnsoundRunError, check_marks, check_run_prefix, run_id_of
from phase2.runs.keys import CLAIM, is_key, local_run, manifest_key
from phase2.runs.layout import CONFIG
from phase2.runs.publish.markers import remove_markers
from phase2.runs.remote.ids import DamagedIdError, damaged_id, free_run_id, run_of_id
from phase2.storage.base import Store
from phase2.storage.disk.errors import disk_errors
from phase2.storage.parallel import in_parallel

_ROUNDS = 5


def delete_run(store: Store, prefix: str) -> int:
    """Delete a run with everything stored for it, the manifest first; return the number of files.

    What is deleted is named by the key alone and has to be that run by its own records: see
    :func:`phase2.runs.identity.check_marks`. After an interruption at any point it can be called again.

    Raises:
        RequestError: The prefix is not of the shape of a run's key, leads out of the store, or a process of this
            machine is training the run.
        UnsoundRunError: What is stored there is another run, or none; nothing is deleted.
        DamagedIdError: The run is deleted, and the object that claims its id is damaged.
        TransientError: Another process stores files there meanwhile.
    """
    keys = check_deletable(store, prefix)
    remove_markers(store, prefix)
    store.delete(manifest_key(prefix))
    remove_markers(store, prefix)  # put in the meantime by a process that had just seen the manifest
    # What identifies the run goes last: until then the rest is a run without a manifest, and can be deleted.
    last = f"{prefix}/{CONFIG if f'{prefix}/{CONFIG}' in keys else CLAIM}"
    in_parallel(store.delete, [key for key in keys if key != last])
    damaged = _free_id(store, prefix)
    store.delete(last)
    _delete_late_files(store, prefix)
    if (run := local_run(store, prefix)) is not None:
        _remove_folder(run.path)
    if damaged is not None:
        damaged.files = len(keys)
        raise damaged
    return len(keys)


def delete_runs(store: Store, prefixes: Iterable[str]) -> Iterator[tuple[str, Phase2Error | None]]:
    """Delete runs one by one; yield each with its error, which does not keep the others from being deleted.

    Raises:
        TransientError: The store does not respond.
    """
    for prefix in prefixes:
        try:
            delete_run(store, prefix)
        except (RequestError, ModelFileError) as error:
            yield prefix, error
        else:
            yield prefix, None


def check_deletable(store: Store, prefix: str) -> list[str]:
    """Return the keys of a run, if it may be deleted; nothing is changed.

    Raises:
        RequestError: As :func:`delete_run`; so is the following.
        UnsoundRunError: What is stored there is another run, or none.
    """
    check_run_prefix(prefix)
    run = local_run(store, prefix)
    if run is not None:
        _refuse_links(run.path)
        if run.is_running():
            raise RequestError(f"A process is training in {run.path}.", fix="Stop it first.")
    keys = [info.key for info in store.list(f"{prefix}/")]
    for key in keys:
        if not is_key(key):
            raise UnsoundRunError(
                f"{key!r} in {store.url} is not an object of a run.",
                why="phase2 makes no key of that form.",
                fix="Nothing was changed. Remove this object with the tools of the store, and run it again.",
            )
    check_marks(store, prefix, keys)
    return keys


def _refuse_links(run: Path) -> None:
    for path in (run.parent, run):
        if path.is_symlink():
            raise RequestError(
                f"'{path}' is a link.", why="What it leads to may be anything.", fix="Remove the link yourself."
            )


def _free_id(store: Store, prefix: str) -> DamagedIdError | None:
    """Release the id of a run; return the error of a claim that names no run. Such a claim stays where it is."""
    run_id = run_id_of(prefix)
    try:
        free_run_id(store, run_id, prefix)
        owner = run_of_id(store, run_id)
    except DamagedIdError as error:
        return error
    if owner is None or any(store.list(f"{owner}/")):
        return None
    return damaged_id(store, run_id, f"It names '{owner}', which is not there.")


def _delete_late_files(store: Store, prefix: str) -> None:
    """Delete what a publisher stored after the run's keys were listed; it notices that its claim is gone, and stops."""
    for _ in range(_ROUNDS):
        late = [info.key for info in store.list(f"{prefix}/")]
        if not late:
            return
        for key in sorted(late, key=lambda key: key != manifest_key(prefix)):
            store.delete(key)
    raise TransientError(
        f"Another process stores files of '{prefix}' in {store.url}.", fix="Stop it, and delete the run again."
    )


def _remove_folder(folder: Path) -> None:
    """Remove what a folder store does not list: locks, links, and empty folders. No link is followed."""
    if not folder.is_dir():
        return
    with disk_errors(folder):
        for path in sorted(folder.iterdir()):
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                _remove_folder(path)
            elif path.name.startswith(".") or not stat.S_ISREG(mode):
                path.unlink(missing_ok=True)
        folder.rmdir()
