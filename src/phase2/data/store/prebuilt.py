"""Graph stores that somebody else has built: a source may know where to fetch one."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class PrebuiltGraphs(Protocol):
    """A source whose graph stores may lie somewhere ready to be fetched."""

    def fetch_graphs(self, fingerprint: str, folder: Path) -> bool:
        """Fetch the graph store of a fingerprint into a folder that is not there; return whether there is one.

        Raises:
            DataError: It is damaged.
            TransientError: It cannot be fetched now, or the disk has too little room.
        """
