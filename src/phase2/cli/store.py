"""Options of commands that use a store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.completion import local_runs
from phase2.cli.console import echo_text
from phase2.config.settings import STORE_VARIABLE, store_url

if TYPE_CHECKING:
    from phase2.storage.base import Store

MODELS = "models"

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        help=f"Store of runs: s3://bucket/prefix or a folder (default: ${STORE_VARIABLE}, or {MODELS}).",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Run id, folder name, a unique prefix of one, 'latest' or 'best'.",
        autocompletion=local_runs,
    ),
]


def open_command_store(url: str | None) -> Store:
    """Open the store of a command that writes: the named one, that of the environment, or the models folder."""
    from phase2.storage.urls import open_store

    return open_store(url or store_url() or MODELS)


def open_existing_store(url: str | None) -> Store:
    """Open the store of a command that reads it or deletes from it; a folder that is named must be there.

    Without a name it is the models folder, which is as good as empty until the first run.

    Raises:
        RequestError: The folder that ``url`` or the environment names is not there.
    """
    from phase2.storage import urls

    named = url or store_url()
    return urls.open_existing_store(named) if named else urls.open_store(MODELS)


def print_json(content: object) -> None:
    """Print JSON on standard output, for programs."""
    echo_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
