"""What the last build of a page knew of each run, kept beside the page so that only new and changed runs are read.

The state is a cache, never the truth: one that is missing, damaged, of another store or of another version of its
format costs reading every run again, and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import ValidationError

from phase2.runs.page.row import PageRun
from phase2.runs.page.settings import SettingsTable
from phase2.storage.base import READ_BYTES, ObjectDamagedError, ObjectMissingError, Store
from phase2.storage.records import Record

STATE = "state.json"


class Entry(Record):
    """One run as it was last read.

    Attributes:
        prefix: Prefix of its keys in the store: ``<family>/<name>``.
        version: Its version when it was read.
        run: What the page shows of it; null where its records cannot be read.
        curves: Name of the file of its learning curves in the page; null without one.
    """

    prefix: str
    version: str
    run: PageRun | None
    curves: str | None = None


class State(Record):
    """The state of a page.

    Attributes:
        schema_version: Format of this file.
        store: Address of the store of its runs.
        settings: Configurations of the entries that have a run, in their order.
        entries: Its runs, without their configurations.
    """

    schema_version: Literal[1] = 1
    store: str
    settings: SettingsTable
    entries: tuple[Entry, ...]


def read_state(page: Store, store: Store) -> dict[str, Entry]:
    """Return the entries of a page by prefix of the run; none where there is no state that can be used.

    Args:
        page: Where the page is.
        store: The store of its runs.

    Raises:
        RequestError: The page's place cannot be read.
        TransientError: It does not respond.
    """
    try:
        digest, _, content = page.read(STATE).partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() != digest:
            return {}
        state = State.model_validate_json(content)
        return _entries(state) if state.store == store.url else {}
    except (ObjectMissingError, ObjectDamagedError, ValidationError, IndexError, ValueError):
        return {}


def write_state(page: Store, store: Store, entries: Mapping[str, Entry]) -> None:
    """Write the state of a page.

    Raises:
        RequestError: The page's place cannot be written.
        TransientError: It does not respond, or is full.
    """
    content = _state(store.url, entries.values()).model_dump_json(exclude_defaults=True).encode()
    if len(content) <= READ_BYTES // 2:  # a larger one could not be read again
        page.put(STATE, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def _state(url: str, entries: Iterable[Entry]) -> State:
    found = tuple(entries)
    settings = SettingsTable.encode([entry.run.settings for entry in found if entry.run is not None])
    return State(store=url, settings=settings, entries=tuple(_without_settings(entry) for entry in found))


def _without_settings(entry: Entry) -> Entry:
    run = None if entry.run is None else entry.run.model_copy(update={"settings": {}})
    return entry.model_copy(update={"run": run})


def _entries(state: State) -> dict[str, Entry]:
    configurations = iter(state.settings.decode())
    found = {}
    for entry in state.entries:
        run = None if entry.run is None else entry.run.model_copy(update={"settings": next(configurations)})
        found[entry.prefix] = entry.model_copy(update={"run": run})
    return found
