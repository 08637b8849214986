"""Removing a run from a store, so that it is gone at once and never half there."""

from __future__ import annotations

from pathlib import Path

from phase2.errors import RequestError
from phase2.runs.keys import local_run, manifest_key
from phase2.runs.layout import CONFIG, RunDirectory
from phase2.runs.publish.markers import unstamp_run
from phase2.runs.remote.ids import free_run_id
from phase2.storage.base import Store, check_key
from phase2.storage.parallel import in_parallel


def delete_run(store: Store, prefix: str) -> int:
    """Remove a run with everything kept for it, the manifest first; returns the number of files.

    Interrupted at any point it can be called again.

    Raises:
        RequestError: A process of this machine trains in it.
    """
    run = local_run(store, prefix)
    if run is not None and run.is_running():
        raise RequestError(f"A process is training in {run.path}.", fix="Stop it first.")
    unstamp_run(store, prefix)
    store.delete(manifest_key(prefix))
    unstamp_run(store, prefix)  # put in the meantime by someone who had just seen the manifest
    keys = [info.key for info in store.list(f"{check_key(prefix)}/")]
    # The record of an unfinished run goes last: until then what is left is shown as unfinished and can be removed.
    config = f"{prefix}/{CONFIG}"
    in_parallel(store.delete, [key for key in keys if key != config])
    free_run_id(store, RunDirectory(Path(prefix)).run_id, prefix)
    store.delete(config)
    if run is not None:
        _remove_folder(run.path)
    return len(keys)


def _remove_folder(folder: Path) -> None:
    """Remove what a folder that is a store keeps to itself: locks, and the emptied folders."""
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        elif path.name.startswith("."):
            path.unlink()
    folder.rmdir()
