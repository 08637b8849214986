"""Deleting a run from a store: at once, so that no incomplete run is ever listed as whole."""

from __future__ import annotations

from pathlib import Path

from phase2.errors import RequestError
from phase2.runs.keys import local_run, manifest_key
from phase2.runs.layout import CONFIG, RunDirectory
from phase2.runs.publish.markers import remove_markers
from phase2.runs.remote.ids import free_run_id
from phase2.storage.base import Store, check_key
from phase2.storage.parallel import in_parallel


def delete_run(store: Store, prefix: str) -> int:
    """Delete a run with everything stored for it, the manifest first; return the number of files.

    After an interruption at any point it can be called again.

    Raises:
        RequestError: A process of this machine is training it.
    """
    run = local_run(store, prefix)
    if run is not None and run.is_running():
        raise RequestError(f"A process is training in {run.path}.", fix="Stop it first.")
    remove_markers(store, prefix)
    store.delete(manifest_key(prefix))
    remove_markers(store, prefix)  # put in the meantime by a process that had just seen the manifest
    keys = [info.key for info in store.list(f"{check_key(prefix)}/")]
    # The configuration goes last: until then the rest is listed as an unfinished run and can be deleted.
    config = f"{prefix}/{CONFIG}"
    in_parallel(store.delete, [key for key in keys if key != config])
    free_run_id(store, RunDirectory(Path(prefix)).run_id, prefix)
    store.delete(config)
    if run is not None:
        _remove_folder(run.path)
    return len(keys)


def _remove_folder(folder: Path) -> None:
    """Remove what a folder store does not list: locks, and empty folders."""
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        elif path.name.startswith("."):
            path.unlink()
    folder.rmdir()
