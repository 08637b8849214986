"""Where watched runs are: a store that is read again and again, at a pace that it stands."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from phase2.errors import ModelFileError, RequestError

if TYPE_CHECKING:
    from phase2.runs.catalog.summary import RunSummary
    from phase2.runs.live.view import RunView
    from phase2.storage.base import Store

_FOLDER_SECONDS, _FOLDER_LIST_SECONDS = 1.0, 5.0
_BUCKET_SECONDS, _BUCKET_LIST_SECONDS = 15.0, 120.0
_MOST = 30
_OLD_SECONDS = 3600.0


class WatchSource(Protocol):
    """Runs that are watched, wherever they are.

    Attributes:
        interval: Seconds between two looks.
    """

    @property
    def interval(self) -> float: ...  # noqa: D102 - described above

    def look(self) -> list[RunView]:
        """Return what there is to see of each run.

        Raises:
            RequestError: They cannot be read.
            TransientError: The store or the cluster does not answer.
        """
        ...

    def close(self) -> None:
        """End what the source does beside the looks."""
        ...


class StoredRuns:
    """Runs in a bucket or in the models folder.

    A bucket is asked for two or three small objects of a run every fifteen seconds, and for its list of runs every two
    minutes, and not at all for the list where the runs are named.

    Args:
        store: The store.
        names: Names of the runs; none is those that train now, and those that start while they are watched.

    Raises:
        RequestError: A run is unknown.
    """

    def __init__(self, store: Store, names: Sequence[str] = ()) -> None:
        from phase2.runs.catalog.index import list_runs
        from phase2.runs.catalog.lookup import find
        from phase2.runs.keys import folder_of

        self._store = store
        is_folder = folder_of(store) is not None
        self.interval = _FOLDER_SECONDS if is_folder else _BUCKET_SECONDS
        self._list_seconds = _FOLDER_LIST_SECONDS if is_folder else _BUCKET_LIST_SECONDS
        self._listed = time.monotonic()
        runs = list_runs(store)
        self._named = [find(runs, name) for name in names]
        self._unfinished = [] if names else _without_manifest(runs)
        self._runs: dict[str, RunSummary] = {}
        self._last: dict[str, RunView] = {}
        self._shown: set[str] = {run.prefix for run in self._named}

    def look(self) -> list[RunView]:
        """Return what there is to see; a run that cannot be read now is as it was."""
        if not self._named and time.monotonic() - self._listed > self._list_seconds:
            from phase2.runs.catalog.index import list_runs

            self._listed, self._unfinished = time.monotonic(), _without_manifest(list_runs(self._store))
        ended = {prefix for prefix, view in self._last.items() if view.has_ended}
        known = {run.prefix: run for run in (*self._named, *self._unfinished)}
        self._runs = known | {prefix: run for prefix, run in self._runs.items() if prefix in self._shown}
        for prefix, run in self._runs.items():
            if prefix not in ended:
                self._look_at(run)
        return [self._last[prefix] for prefix in self._runs if prefix in self._shown and prefix in self._last]

    def close(self) -> None:
        """Do nothing: nothing goes on beside the looks."""

    def _look_at(self, run: RunSummary) -> None:
        from phase2.runs.live.stored import view_stored

        try:
            view = view_stored(self._store, run)
        except ModelFileError:  # it is being replaced, or damaged: 'phase2 runs show' says which
            return
        except RequestError:
            if run.prefix in self._shown and not self._last:
                raise
            return
        self._last[run.prefix] = view
        is_news = (view.age() or 0.0) < _OLD_SECONDS
        if not view.has_ended and is_news:
            self._shown.add(run.prefix)


def _without_manifest(runs: Sequence[RunSummary]) -> list[RunSummary]:
    from phase2.runs.catalog.summary import WITHOUT_MANIFEST

    found = [run for run in runs if run.status in WITHOUT_MANIFEST and run.status != "pruned"]
    return found[:_MOST]
