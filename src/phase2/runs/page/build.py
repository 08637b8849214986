"""Building the page of a store: files named after their content first, ``index.html`` last.

A build that is killed at any point leaves the page as it was, or the new one: nothing that a page refers to is replaced
or removed while it is the page. The files of the page before stay until the next build, for who has it open.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from phase2.errors import RequestError
from phase2.runs.page.collect import CURVES, collect_runs, shown_runs
from phase2.runs.page.html import GENERATOR, assets, index_html
from phase2.runs.page.links import report_base
from phase2.runs.page.scripts import content_name, is_content_name
from phase2.runs.page.state import Entry, read_state, write_state
from phase2.runs.page.view import data_script
from phase2.storage.base import ObjectInfo, ObjectMissingError, Store
from phase2.storage.parallel import in_parallel

INDEX = "index.html"
DATA = "data"
KEPT_FOR = timedelta(hours=1)
"""Age from which files of earlier pages are removed: another process may be writing younger ones."""
_FOLDERS = (DATA, CURVES, "assets")


@dataclass(frozen=True, slots=True)
class BuiltPage:
    """A page that was built.

    Attributes:
        runs: Runs that it shows.
        read: Runs that were read for it; all others were known.
        unreadable: Prefixes of runs whose records cannot be read.
        changed: Whether it differs from the page that was there.
        data: Name of the file of its runs.
        files: Names of all its files but ``index.html``.
        reports: Prefixes of the runs that have a report.
    """

    runs: int
    read: int
    unreadable: tuple[str, ...]
    changed: bool
    data: str
    files: frozenset[str]
    reports: frozenset[str]


def build_page(
    store: Store,
    page: Store,
    *,
    reports: str | None = None,
    rebuild: bool = False,
    live_seconds: float | None = None,
    kept_for: timedelta = KEPT_FOR,
) -> BuiltPage:
    """Build the page of all runs of a store.

    Args:
        store: The store of the runs; nothing is written to it.
        page: Where the page is written, a folder or a prefix of a bucket.
        reports: Address below which the page finds the runs with their reports; None finds it where it can be known.
        rebuild: Whether every run is read.
        live_seconds: Seconds between two questions of the page whether it changed; None for a page that is as it is.
        kept_for: Age from which files of earlier pages are removed.

    Raises:
        RequestError: The store cannot be read, or the page not written; something else is in its place.
        TransientError: One of them does not respond.
    """
    _check_place(store, page)
    present = {info.key: info for folder in _FOLDERS for info in page.list(f"{folder}/") if is_content_name(info.key)}
    known = {} if rebuild else read_state(page, store)
    collected = collect_runs(store, known, present=present)
    unreadable = tuple(prefix for prefix, entry in collected.entries.items() if entry.run is None)
    data = data_script(store.url, shown_runs(store, collected.entries), unreadable)
    name = content_name(DATA, data)
    base = reports if reports is not None else report_base(store, page)
    index = index_html(store.url, name, reports=base, live_seconds=live_seconds).encode()
    made = {name: data, **assets(), **collected.scripts}
    _put_missing(page, made, present)
    changed = _replace_index(page, index)
    if collected.read or collected.entries.keys() != known.keys():
        write_state(page, store, collected.entries)
    used = {name, *assets(), *_curves(collected.entries)}
    kept = used | _curves(known)  # a page that was opened before this build still loads them
    _remove_unused(page, [info for info in present.values() if info.key not in kept], kept_for)
    return BuiltPage(
        runs=len(collected.entries) - len(unreadable),
        read=len(collected.read),
        unreadable=unreadable,
        changed=changed,
        data=name,
        files=frozenset(used),
        reports=frozenset(e.prefix for e in collected.entries.values() if e.run is not None and e.run.has_report),
    )


def _check_place(store: Store, page: Store) -> None:
    """Refuse to write over a store of runs, or over a page of somebody else."""
    if store.url.rstrip("/") == page.url.rstrip("/"):
        raise RequestError(
            f"The page cannot be written to {page.url}.",
            why="The runs are there.",
            fix=f"Write it below, such as to {page.url.rstrip('/')}/page.",
        )
    found = _index_of(page)
    if found is not None and GENERATOR.encode() not in found:
        raise RequestError(
            f"There is another page in {page.url}.",
            why=f"Its {INDEX} was not made by 'phase2 runs page'.",
            fix="Choose another place, or remove it.",
        )


def _index_of(page: Store) -> bytes | None:
    try:
        return page.read(INDEX)
    except ObjectMissingError:
        return None


def _put_missing(page: Store, made: Mapping[str, bytes], present: Collection[str]) -> None:
    missing = {name: content for name, content in made.items() if name not in present}
    in_parallel(lambda name: page.put(name, missing[name]), missing)


def _replace_index(page: Store, content: bytes) -> bool:
    if _index_of(page) == content:
        return False
    page.put(INDEX, content)
    return True


def _curves(entries: Mapping[str, Entry]) -> set[str]:
    return {entry.curves for entry in entries.values() if entry.curves}


def _remove_unused(page: Store, unused: Collection[ObjectInfo], kept_for: timedelta) -> None:
    now = datetime.now(UTC)
    in_parallel(page.delete, [info.key for info in unused if now - info.modified > kept_for])
