"""Runs and models by whatever names them: an object, an id, ``best``, ``latest``, a path, an address in a store."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias

from phase2.api.runs.listed_run import ListedRun
from phase2.config.settings import store_url
from phase2.errors import RequestError
from phase2.runs.addresses import cache_of, stored_model_file
from phase2.runs.catalog.index import list_runs
from phase2.runs.catalog.lookup import default_run
from phase2.runs.catalog.named import locate
from phase2.runs.keys import local_run
from phase2.runs.layout import MANIFEST, RunDirectory, model_file_in
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.records.manifest import RunManifest, read_manifest
from phase2.storage.base import Store
from phase2.storage.disk.home import expand_home
from phase2.storage.urls import open_existing_store, open_store


class RunOnDisk(Protocol):
    """Whatever has the directory of a run: a :class:`phase2.Run`."""

    @property
    def directory(self) -> Path:
        """Folder of the run."""


RunReference: TypeAlias = RunOnDisk | ListedRun | str | os.PathLike[str]
"""A run: a :class:`phase2.Run`, a row of :func:`phase2.list_runs`, its id or folder name (or the unique beginning of
one), ``best``, ``latest``, its folder, or its address ``s3://bucket/prefix/family/run_...``."""

DEFAULT_STORE = "models"


def store_at(url: str | os.PathLike[str] | None) -> Store:
    """Open a store to read: the one that is named, that of ``$PHASE2_STORE``, or the folder ``models``.

    Raises:
        RequestError: A folder that is named is not there, or what is given is neither a text nor a path.
    """
    if not isinstance(url, str | os.PathLike | None):
        raise RequestError(
            f"An object of type {type(url).__name__} names no store.",
            fix="Give a folder, or an address such as s3://bucket/prefix.",
        )
    named = os.fspath(url) if url is not None else store_url()
    return open_existing_store(named) if named else open_store(DEFAULT_STORE)


def model_file(reference: RunReference | None, store: str | os.PathLike[str] | None = None) -> Path:
    """Return the model file of a run; one that lies in a bucket is brought into the cache, verified.

    Args:
        reference: The run, or the path of a model file; None for the best of the runs that compare with the newest.
        store: Where to look for a run that is named; the default store when None.

    Raises:
        RequestError: There is no such run.
        DataError: The file is damaged in the store.
        TransientError: The store does not answer.
    """
    if reference is None:
        return _default_file(store_at(store))
    folder = _folder(reference)
    if folder is not None:
        return model_file_in(folder) if folder.is_dir() else folder
    if isinstance(reference, str) and reference.endswith(".pt") and "://" not in reference:
        return Path(reference)  # it is not there, which its reader says
    return stored_model_file(*_located(reference, store))


def _default_file(store: Store) -> Path:
    runs = [run for run in list_runs(store) if run.status == "finished" and run.has_model]
    if not runs:
        raise RequestError(
            f"There is no finished run in {store.url}.",
            why="A model comes from a run whose manifest says that it is finished.",
            fix="Train one with 'phase2 train', or name a model.",
        )
    return stored_model_file(store, default_run(runs).prefix)


def manifest_of(reference: RunReference, store: str | os.PathLike[str] | None = None) -> RunManifest:
    """Return the manifest of a run.

    Raises:
        RequestError: There is no such run, or it is not finished.
        ModelFileError: The manifest is damaged or written by a newer phase2.
        TransientError: The store does not answer.
    """
    folder = _folder(reference)
    if folder is not None:
        return read_manifest(folder / MANIFEST)
    place, prefix = _located(reference, store)
    return PublishedRun.open(place, prefix).manifest


def run_directory(reference: RunReference, store: str | os.PathLike[str] | None = None) -> RunDirectory:
    """Return the directory of a run; one that lies in a bucket is brought into the cache, verified.

    Raises:
        RequestError: There is no such run, or it is not finished.
        DataError: A file is damaged in the store.
        TransientError: The store does not answer.
    """
    folder = _folder(reference)
    if folder is not None:
        return RunDirectory(folder)
    place, prefix = _located(reference, store)
    here = local_run(place, prefix)
    return PublishedRun.open(place, prefix).pull(cache_of(place)) if here is None else here


def _folder(reference: RunReference) -> Path | None:
    """The folder or file that a reference names on this machine; None where it names none."""
    if isinstance(reference, ListedRun):
        return None
    if not isinstance(reference, str | os.PathLike):
        if not hasattr(reference, "directory"):
            raise RequestError(
                f"An object of type {type(reference).__name__} names no run.",
                why="A run is named by a text, a path, or an object that phase2.load_run or phase2.list_runs returned.",
                fix="Give 'best', 'latest', an id, a path, or an address in a store.",
            )
        return reference.directory
    path = expand_home(reference)
    return path if not isinstance(reference, str) or ("://" not in reference and path.exists()) else None


def _located(reference: RunReference, store: str | os.PathLike[str] | None) -> tuple[Store, str]:
    """The store of a run, and where the run lies in it."""
    if isinstance(reference, ListedRun):
        return open_existing_store(reference.store), reference.prefix
    return locate(str(reference), partial(store_at, store))
