"""The page of a store as it is now: built again by the clock."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from phase2.config.settings import cache_dir
from phase2.errors import Phase2Error
from phase2.runs.layout import REPORT
from phase2.runs.page.build import INDEX, BuiltPage, build_page
from phase2.runs.page.versions import glance
from phase2.storage.base import ObjectDamagedError, ObjectMissingError, Store
from phase2.storage.folder import LocalStore

LIVE = "live"
RUNS = "runs/"
_KEPT_FOR = timedelta(minutes=1)


@dataclass
class LivePage:
    """The page of a store, built again when it is asked to.

    What it shows is a closed set: the files of the page by their names, the reports of the runs on it, and whether it
    changed. No path of the file system is made of what is asked for.

    Attributes:
        store: The store of the runs.
        page: Where the page is written.
        build: Callback that builds it.
        built: The page as it is; None before it was built.
        problem: Why it could not be built again; empty where it could.
    """

    store: Store
    page: Store
    build: Callable[[], BuiltPage]
    built: BuiltPage | None = None
    problem: str = ""
    _seen: frozenset[tuple[str, str, bool]] = frozenset()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self) -> None:
        """Build the page again where a run changed, or where somebody cleared the cache that it is kept in.

        What is wrong with the store is kept for whoever looks at the page.

        Raises:
            Phase2Error: It could not be built the first time.
        """
        with self._lock:
            try:
                found = glance(self.store)
                if self.built is None or found != self._seen or not self._is_whole(self.built):
                    self.built, self._seen = self.build(), found
                self.problem = ""
            except Phase2Error as error:
                if self.built is None:
                    raise
                self.problem = error.what

    def keep_fresh(self, seconds: float, stop: threading.Event) -> None:
        """Build the page again every so many seconds until it is told to stop."""
        while not stop.wait(seconds):
            self.refresh()

    def content(self, path: str) -> bytes | None:
        """Return what is shown under a path; None for what is not part of the page.

        Raises:
            RequestError: The store cannot be read.
            TransientError: The store does not respond.
        """
        if path == LIVE:
            return self._news()
        built = self.built
        try:
            if built is not None and (path in built.files or path == INDEX):
                return self.page.read(path)
            if built is not None and path.startswith(RUNS) and path.endswith(f"/{REPORT}"):
                prefix = path.removeprefix(RUNS).removesuffix(f"/{REPORT}")
                return self.store.read(f"{prefix}/{REPORT}") if prefix in built.reports else None
        except (ObjectMissingError, ObjectDamagedError):
            return None
        return None

    def _is_whole(self, built: BuiltPage) -> bool:
        return {INDEX, *built.files} <= {info.key for info in self.page.list()}

    def _news(self) -> bytes:
        """Return what an open page asks for: the file of its runs, and what is wrong."""
        data = self.built.data if self.built else ""
        return json.dumps({"data": data, "problem": self.problem}).encode()


def live_page(store: Store, seconds: float) -> LivePage:
    """Return the page of a store, kept in the cache of this machine.

    Args:
        store: The store of the runs.
        seconds: Time after which an open page asks whether it changed.
    """
    folder = cache_dir() / "pages" / hashlib.sha256(store.url.encode()).hexdigest()[:16]
    page = LocalStore(folder)
    build = partial(build_page, store, page, reports=RUNS, live_seconds=seconds, kept_for=_KEPT_FOR)
    return LivePage(store, page, build)
