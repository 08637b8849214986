"""Graph stores that somebody else has built: a source may know where to fetch one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, runtime_checkable

from phase2.data.sources.base import Source
from phase2.properties import Property


@runtime_checkable
class PrebuiltGraphs(Protocol):
    """A source whose graph stores may lie somewhere ready to be fetched."""

    def fetch_graphs(self, fingerprint: str, folder: Path) -> bool:
        """Fetch the graph store of a fingerprint into a folder that is not there; return whether there is one.

        Raises:
            DataError: It is damaged.
            TransientError: It cannot be fetched now, or the disk has too little room.
        """

    def files_to_check(self, count: int, properties: Sequence[Property]) -> AbstractContextManager[Source]:
        """Fetch what graphs are checked against: all labels, and at least some structures.

        Args:
            count: Number of structures that are enough.
            properties: The properties whose labels are read.

        Raises:
            DataError: A file is damaged.
            TransientError: It cannot be fetched now, or the disk has too little room.
        """
