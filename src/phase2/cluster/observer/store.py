"""Whether the store of the runs answers."""

from __future__ import annotations

import time

from phase2.errors import Phase2Error
from phase2.storage.base import Store
from phase2.storage.s3.settings import S3Settings
from phase2.storage.urls import open_store

_PERIOD = 60.0
_KEY = ".observer"


class StoreProbe:
    """A store that is asked once a minute, by a request that changes nothing.

    Args:
        url: Address of the store.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._asked = -_PERIOD
        self.error: Phase2Error | None = None
        """Why the store did not answer last; None if it did."""

    def answers(self) -> bool:
        """Whether the store answers, or did less than a minute ago."""
        if time.monotonic() - self._asked >= _PERIOD:
            self._asked = time.monotonic()
            try:
                self._open().head(_KEY)
                self.error = None
            except Phase2Error as error:
                self.error = error
        return self.error is None

    def _open(self) -> Store:
        if not self._url.startswith("s3://"):
            return open_store(self._url)
        found = S3Settings.from_environment()
        return open_store(
            self._url,
            S3Settings(
                endpoint=found.endpoint, region=found.region, path_style=found.path_style, attempts=2, timeout=5.0
            ),
        )
