"""The folder in which a workflow step leaves its results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from phase2.config.settings import WORKFLOW_VARIABLE

FolderOption = Annotated[Path, typer.Option("--to", help="Folder for the results.")]
NameOption = Annotated[str, typer.Option("--name", help="Name of the workflow.", envvar=WORKFLOW_VARIABLE)]


def write_results(folder: Path, files: Mapping[str, str]) -> None:
    """Write each result as a file, which the workflow reads as a parameter or an artifact."""
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
