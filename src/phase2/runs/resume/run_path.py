"""A run that is named by the path of its folder."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from phase2.config.request.resume_request import ResumeRequest
from phase2.config.request.run_request import RunRequest
from phase2.errors import RequestError
from phase2.runs.identity import is_run_prefix
from phase2.storage.disk.home import expand_home


def in_output_of_run(request: RunRequest, resumption: ResumeRequest) -> RunRequest:
    """Return a request with the output folder of the run that it resumes, if that is named by a path.

    A path has a slash, or is ``.``: what an output folder calls a run, ``run_...`` and ``family/run_...``, is a name.

    Raises:
        RequestError: The request names another output folder.
    """
    name = resumption.run
    if name is None or ("/" not in name and name != ".") or is_run_prefix(name):
        return request
    folder = _run_folder(name)
    if folder is None or _is_same(folder.parents[1], request.output):
        return request
    output = folder.parents[1]
    if request.output != RunRequest().output:
        raise RequestError(
            f"The run {name} is not in {request.output}.",
            why="A run is continued in the output folder that it is in.",
            fix=f"Drop --output, or give --output {output}.",
        )
    return replace(request, output=output)


def name_in_output(name: str, output: Path) -> str:
    """Return ``<family>/<run>`` for the path of a run folder that lies in the output folder; any other name as it is.

    Args:
        name: Name of a run, or the path of its folder, relative to the current one.
        output: Folder that holds the families.
    """
    folder = _run_folder(name)
    if folder is not None and _is_same(folder.parents[1], output):
        return f"{folder.parent.name}/{folder.name}"
    return name


def _run_folder(name: str) -> Path | None:
    """Return the folder of a run at a path; None where there is none."""
    with suppress(OSError, ValueError):  # what cannot be a path is a name
        folder = Path(os.path.abspath(expand_home(name)))  # noqa: PTH100 - a run may be a link: it is not followed
        if folder.is_dir() and is_run_prefix(f"{folder.parent.name}/{folder.name}"):
            return folder
    return None


def _is_same(folder: Path, output: Path) -> bool:
    with suppress(OSError):  # it is not there
        return folder.samefile(output)
    return False
