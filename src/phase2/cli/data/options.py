"""Options that several commands about data sets share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.data_address import DATA_HELP
from phase2.cli.options import variable_of
from phase2.config.settings import STORE_VARIABLE, store_url
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.storage.base import Store

SourceOption = Annotated[
    str,
    typer.Option(
        "--data",
        help=f"{DATA_HELP}.",
        envvar=variable_of("--data"),
        show_envvar=False,
    ),
]
DataStoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", help=f"Store of the data sets: s3://bucket/prefix or a folder (default: ${STORE_VARIABLE})."
    ),
]
CutoffOption = Annotated[
    float | None,
    typer.Option(
        "--cutoff",
        help="Longest edge in angstrom (default: 5).",
        envvar=variable_of("--cutoff"),
        show_envvar=False,
        show_default=False,
    ),
]
WorkersOption = Annotated[int | None, typer.Option("--workers", help="Processes (default: one per core).")]


def open_data_store(url: str | None, *, writes: bool = False) -> Store:
    """Open the store of a command about data sets: the one it was given, or that of the environment.

    Args:
        url: The one it was given.
        writes: Whether the command writes: then a folder need not be there.

    Raises:
        RequestError: None is known, or the folder is not there.
    """
    from phase2.storage.urls import open_existing_store, open_store

    where = url or store_url()
    if where is None:
        raise RequestError(
            "No store is known.",
            why="Data sets that every machine can fetch lie in a bucket or in a folder that all share.",
            fix=f"Give --store s3://bucket/prefix, or set {STORE_VARIABLE}.",
        )
    return open_store(where) if writes else open_existing_store(where)


def find_data_store(url: str | None) -> Store | None:
    """Open the store that a command was given; None leaves it to the environment, where data of a store are used."""
    return open_data_store(url) if url else None
