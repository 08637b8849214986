"""Runs by whatever names them: the path of a folder, an address in a store, or a name in the store that is meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from phase2.errors import RequestError
from phase2.runs.addresses import split_address
from phase2.runs.catalog.index import list_runs
from phase2.runs.catalog.lookup import find, find_in
from phase2.runs.identity import is_run_prefix
from phase2.runs.layout import holds_run
from phase2.runs.renamed import recorded_prefix
from phase2.storage.base import Store
from phase2.storage.disk.home import expand_home
from phase2.storage.folder import LocalStore
from phase2.storage.urls import is_address, open_existing_store


class RunPlace(NamedTuple):
    """Where a run is.

    Attributes:
        store: Its store.
        prefix: ``<family>/<run name>`` in that store.
    """

    store: Store
    prefix: str


def locate(name: str, meant: Callable[[], Store]) -> RunPlace:
    """Find a run.

    Args:
        name: The path of its folder, its address, or what :func:`~phase2.runs.catalog.lookup.find` takes.
        meant: Opens the store that a name is looked up in; not called for a path or an address.

    Raises:
        RequestError: There is no such run, or its folder has another name.
    """
    own = own_place(name)
    if own is not None:
        return own
    store = meant()
    return RunPlace(store, find_in(store, name).prefix)


def locate_all(names: Sequence[str], meant: Callable[[], Store]) -> list[RunPlace]:
    """Find runs as :func:`locate` does, each once, with one look at the list of the store that is meant."""
    places = {name: own_place(name) for name in names}
    if any(place is None for place in places.values()):
        store = meant()
        listed = list_runs(store)
        places = {name: place or RunPlace(store, find(listed, name).prefix) for name, place in places.items()}
    distinct = {(place.store.url, place.prefix): place for place in places.values() if place is not None}
    return list(distinct.values())


def own_place(name: str) -> RunPlace | None:
    """Return the place of a run that is named by the path of its folder or by its address; None for another name.

    A path has a slash, or is ``.``: what a store calls a run, ``run_...`` and ``family/run_...``, is a name, whatever
    the current folder holds.

    Raises:
        RequestError: It is an address, but of no run, or the folder of a run under another name.
    """
    if is_address(name):
        url, prefix = split_address(name)
        return RunPlace(open_existing_store(url), prefix)
    if ("/" not in name and name != ".") or is_run_prefix(name):
        return None
    folder = expand_home(name)
    if not holds_run(folder):
        return None
    folder = folder.resolve()
    prefix = f"{folder.parent.name}/{folder.name}"
    if not is_run_prefix(prefix):
        raise RequestError(
            f"The run in {name} is not where runs are.",
            why="A run is known by its folder, <family>/<run name>, and this one has another name.",
            fix=f"Give it back the name that it was trained or pulled under{_recorded(folder)}.",
        )
    return RunPlace(LocalStore(folder.parents[1]), prefix)


def _recorded(folder: Path) -> str:
    prefix = recorded_prefix(folder)
    return "" if prefix is None else f", {prefix}"
