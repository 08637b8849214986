"""Finished runs, into whose folders nothing is written."""

from __future__ import annotations

from pathlib import Path

from phase2.errors import RequestError


def refuse_sealed_run(target: Path, option: str) -> None:
    """Refuse to write into a finished run, which would hold more than the files that its manifest lists.

    Args:
        target: File or folder to write.
        option: Option that names it.

    Raises:
        RequestError: It lies in the folder of a finished run, or below it.
    """
    from phase2.runs.layout import MANIFEST

    place = target.resolve()
    if any((folder / MANIFEST).is_file() for folder in (place, *place.parents)):
        raise RequestError(
            f"{target} lies in the folder of a finished run.",
            why="Its manifest lists every file with its checksum; another one would not be the run's.",
            fix=f"Name a place elsewhere with {option}.",
        )
