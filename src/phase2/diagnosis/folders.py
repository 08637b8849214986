"""Folders that a run writes to."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from phase2.config.settings import cache_dir
from phase2.diagnosis.finding import Finding, Problem, size
from phase2.errors import TransientError
from phase2.storage.disk.errors import explain_os_error

# A checkpoint of the largest network is 20 MB, and three are on the disk at times.
_TOO_LITTLE, _LITTLE = 100 << 20, 1 << 30
_PROBE = b"x" * 4096


def folders(runs: Path) -> Iterator[Finding]:
    """The folders of runs, of downloads and graphs, and of what is temporary.

    Args:
        runs: Folder of the runs.
    """
    try:
        temporary = Path(tempfile.gettempdir())
    except OSError as error:
        problem = Problem("There is no folder for temporary files.", f"{error}.", "Mount a volume at /tmp.", 2)
        yield Finding("folders", "temporary files", "-", problem)
    else:
        yield folder("temporary files", temporary)
    yield folder("runs", runs.absolute())
    yield folder("cache", cache_dir())


def folder(name: str, path: Path) -> Finding:
    """Whether a folder can be made and written, and how much fits into it."""
    there = next(place for place in (path, *path.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there, buffering=0) as file:
            file.write(_PROBE)
        free = shutil.disk_usage(there).free
    except OSError as error:
        problem = Problem.of(explain_os_error(error, there))
        return Finding("folders", name, f"{path}: {error.strerror or error}", problem)
    return Finding("folders", name, f"{path}: {size(free)} free", _scarce(path, free))


def _scarce(path: Path, free: int) -> Problem | None:
    if free >= _LITTLE:
        return None
    code = TransientError.exit_code if free < _TOO_LITTLE else 0
    return Problem(f"Only {size(free)} are free for {path}.", "A run may fill the disk.", "Free some space.", code)
