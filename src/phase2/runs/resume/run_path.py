"""A run that is named by the path of its folder."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from phase2.runs.identity import is_run_prefix
from phase2.storage.disk.home import expand_home


def name_in_output(name: str, output: Path) -> str:
    """Return ``<family>/<run>`` for the path of a run folder that lies in the output folder; any other name as it is.

    Args:
        name: Name of a run, or the path of its folder, relative to the current one.
        output: Folder that holds the families.
    """
    with suppress(OSError, ValueError):  # what cannot be a path is a name
        folder = Path(os.path.abspath(expand_home(name)))  # noqa: PTH100 - a run may be a link: it is not followed
        prefix = f"{folder.parent.name}/{folder.name}"
        if folder.is_dir() and is_run_prefix(prefix) and folder.parent.parent.samefile(output):
            return prefix
    return name
