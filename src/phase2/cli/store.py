"""Options of commands that use a store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import echo_text
from phase2.config.settings import STORE_VARIABLE, store_url
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.runs.catalog.named import RunPlace
    from phase2.storage.base import Store

MODELS = "models"
_NEWEST = ("latest", "best")


def local_runs(incomplete: str) -> list[str]:
    """Complete the folder names of the runs of a store that is a folder, the newest first; a bucket is not asked."""
    from phase2.errors import Phase2Error
    from phase2.runs.catalog.scan import run_prefixes
    from phase2.runs.keys import folder_of

    found: list[str] = []
    with suppress(Phase2Error):
        store = open_existing_store(None)
        if folder_of(store) is not None:
            found = sorted((prefix.rpartition("/")[2] for prefix in run_prefixes(store)), reverse=True)
    return [name for name in (*_NEWEST, *found) if name.startswith(incomplete)]


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
        help="Run id, folder name, a unique prefix of one, path, address, 'latest' or 'best'.",
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


def locate_run(run: str, store: str | None) -> RunPlace:
    """Find the run that a command is about: by path or address, or by name in the store of the command.

    Raises:
        RequestError: There is no such run, or it is in another store than the one that is named.
    """
    from phase2.runs.catalog.named import locate

    found = locate(run, partial(open_existing_store, store))
    _refuse_elsewhere([found], store)
    return found


def locate_runs(runs: Sequence[str], store: str | None) -> list[RunPlace]:
    """Find several runs as :func:`locate_run` does, each of them once.

    Raises:
        RequestError: As there; beside runs of the store that is named, others may be elsewhere.
    """
    from phase2.runs.catalog.named import locate_all

    found = locate_all(runs, partial(open_existing_store, store))
    _refuse_elsewhere(found, store)
    return found


def named_in(run: str, store: str | None) -> tuple[Store, str]:
    """Return the store that a run is in, and its name there, without looking whether it is there.

    Raises:
        RequestError: The store is not there, or it is another one than the one that is named.
    """
    from phase2.runs.catalog.named import own_place

    own = own_place(run)
    if own is None:
        return open_existing_store(store), run
    _refuse_elsewhere([own], store)
    return own


def _refuse_elsewhere(found: Sequence[RunPlace], store: str | None) -> None:
    """Refuse ``--store`` where no run is in it, since all are named by paths or addresses elsewhere."""
    if store is None:
        return
    meant = _comparable(open_existing_store(store))
    if all(_comparable(place.store) != meant for place in found):
        raise RequestError(
            f"{found[0].prefix} of {found[0].store.url} is not in the store {store}.",
            why="A path or an address says itself where the run is.",
            fix="Leave out --store.",
        )


def _comparable(store: Store) -> str:
    from phase2.runs.keys import folder_of

    folder = folder_of(store)
    return store.url if folder is None else str(folder.resolve())


def print_json(content: object) -> None:
    """Print JSON on standard output, for programs."""
    echo_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
