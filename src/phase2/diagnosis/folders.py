"""Check of the folders that a run writes to."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from phase2.config.settings import cache_dir
from phase2.diagnosis.finding import Finding, Problem, format_size
from phase2.errors import RequestError, TransientError
from phase2.storage.disk.errors import explain_os_error

# A checkpoint of the largest network is 20 MB, and three are on the disk at times.
_REQUIRED, _RECOMMENDED = 100 << 20, 1 << 30
_PROBE = b"x" * 4096


def check_folders(runs: Path) -> Iterator[Finding]:
    """Check the folders of runs, of downloads and graphs, and of temporary files.

    Args:
        runs: Folder of the runs.
    """
    try:
        temporary = Path(tempfile.gettempdir())
    except OSError as error:
        problem = Problem("There is no folder for temporary files.", f"{error}.", "Mount a volume at /tmp.", 2)
        yield Finding("folders", "temporary files", "-", problem)
    else:
        yield check_folder("temporary files", temporary)
    yield check_folder("runs", runs.absolute())
    try:
        cache = cache_dir()
    except RequestError as error:
        yield Finding("folders", "cache", "-", Problem.of(error))
    else:
        yield check_folder("cache", cache)


def check_folder(name: str, path: Path) -> Finding:
    """Check whether a folder can be created and written, and its free space."""
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=existing, buffering=0) as file:
            file.write(_PROBE)
        free = shutil.disk_usage(existing).free
    except OSError as error:
        problem = Problem.of(explain_os_error(error, existing))
        return Finding("folders", name, f"{path}: {error.strerror or error}", problem)
    return Finding("folders", name, f"{path}: {format_size(free)} free", _space_problem(path, free))


def _space_problem(path: Path, free: int) -> Problem | None:
    if free >= _RECOMMENDED:
        return None
    code = TransientError.exit_code if free < _REQUIRED else 0
    return Problem(
        f"Only {format_size(free)} are free for {path}.", "A run may fill the disk.", "Free some space.", code
    )
