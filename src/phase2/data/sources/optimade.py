"""Structures of a server that speaks OPTIMADE: fetched once, page by page, and kept in the cache."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import numpy as np
from numpy.typing import NDArray

from phase2.config.data.addresses import OPTIMADE
from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.config.settings import cache_dir
from phase2.data.sources.base import LabelledCrystal, RawRecord
from phase2.data.sources.file_source import FileSource
from phase2.data.sources.optimade_pages import structures_of
from phase2.errors import RequestError
from phase2.properties import PROPERTIES, Property
from phase2.storage.disk.lock import wait_for_lock
from phase2.storage.progress import ProgressCallback

DEFAULT_MOST = 10_000
"""Structures that are fetched where the address says no other number: ``optimade:URL#50000``."""

_PAGE = "100"
_VERSION = re.compile(r"/v\d+(?:\.\d+)*$")


class OptimadeSource:
    """Source of the structures of an OPTIMADE server, fetched when they are first read.

    The address is that of the server or of its structures, with a filter: ``optimade:https://host/v1/structures?
    filter=nelements=2``. What was fetched is kept, so that a run can be repeated; remove the file to fetch it again.

    Args:
        name: The address, with ``optimade:`` before it, and with ``#N`` for at most N structures.
        cache: Cache folder; the user's by default.
        progress: Callback receiving the number of structures received, and how many there are.
        limits: Limits of reading.
        properties: The properties whose labels are read.

    Raises:
        RequestError: It is no address of http or https, or N is no number.
    """

    isolated = False

    def __init__(
        self,
        name: str,
        cache: Path | None = None,
        *,
        progress: ProgressCallback | None = None,
        limits: ReadingLimits = DEFAULT_LIMITS,
        properties: Sequence[Property] = PROPERTIES,
    ) -> None:
        self.name = name
        self.limits = limits
        self.properties = tuple(properties)
        self._url, self._most = _parsed(name)
        self._folder = (cache or cache_dir()) / "downloads"
        self._progress = progress

    @property
    def path(self) -> Path:
        """Path of the structures in the cache, fetched or not."""
        key = hashlib.sha256(f"{self._url}#{self._most}".encode()).hexdigest()[:20]
        return self._folder / f"optimade-{key}.jsonl"

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the structures as they were fetched, hexadecimal.

        Raises:
            TransientError: The server cannot be reached.
            DataError: It sends something else than structures.
        """
        return FileSource(self.fetch()).fingerprint

    def fetch(self) -> Path:
        """Fetch the structures, unless they were, whole or not at all.

        Raises:
            TransientError: The server cannot be reached.
            DataError: It sends something else than structures.
        """
        path = self.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with wait_for_lock(path.with_name(f".{path.name}.lock"), purpose=f"fetching {self.name}"):
            if not path.exists():
                with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".part", encoding="utf-8") as file:
                    for structure in structures_of(self._url, self._most, self.limits, self._progress):
                        file.write(json.dumps(structure) + "\n")
                    file.flush()
                    path.hardlink_to(file.name)
                    path.chmod(0o644)
        return path

    def records(self) -> Iterator[RawRecord]:
        """Yield the structures as records, as :class:`FileSource` does.

        Raises:
            TransientError: The server cannot be reached.
            DataError: It sends something else than structures.
        """
        yield from FileSource(self.fetch(), limits=self.limits, properties=self.properties).records()

    def rows(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        """See :class:`phase2.data.sources.columns.HasColumns`; the structures are fetched first."""
        return FileSource(self.fetch(), limits=self.limits).rows()

    def parse(self, raw: RawRecord) -> LabelledCrystal:
        """Turn one record into a crystal and its labels.

        Raises:
            InvalidCrystalError: It is no valid crystal, or a label is no number.
        """
        return FileSource(self.path, limits=self.limits, properties=self.properties).parse(raw)

    def read_targets(self, raw: RawRecord) -> NDArray[np.float64]:
        """See :class:`phase2.data.store.relabelled.ReadsLabels`."""
        return FileSource(self.path, limits=self.limits, properties=self.properties).read_targets(raw)

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"_progress": None}  # a progress bar cannot be sent to the worker processes


def _parsed(name: str) -> tuple[str, int]:
    """Return the address of the first page, and the largest number of structures."""
    url, _, most = name.removeprefix(OPTIMADE).partition("#")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or (most and not most.isdecimal()):
        raise RequestError(
            f"{name} is no address of an OPTIMADE server.",
            why="It is optimade:https://host/v1/structures?filter=..., and may end in #5000 for at most 5000.",
            fix="Correct the address.",
        )
    path = re.sub(r"/structures/?$|/$", "", parts.path)
    base = path if _VERSION.search(path) else f"{path}/v1"
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    query.setdefault("page_limit", _PAGE)
    return urlunsplit((parts.scheme, parts.netloc, f"{base}/structures", urlencode(query), "")), int(
        most or DEFAULT_MOST
    )
