"""The ``phase2 data`` command group."""

from __future__ import annotations

from typing import Annotated

import typer

from phase2.cli.console import note, print_table
from phase2.cli.data import convert, describe, prepare
from phase2.config.settings import cache_dir

app = typer.Typer(help="List, fetch, prepare, describe and convert data sets.", rich_markup_mode=None)


@app.command("list")
def list_sources() -> None:
    """List the named data sets, and whether they are downloaded."""
    from phase2.data.sources.registry import known_sources

    rows = [(source.name, source.summary, source.state(cache_dir())) for source in known_sources()]
    print_table("", ("name", "what it is", "state"), rows)


@app.command("fetch")
def fetch(name: Annotated[str, typer.Argument(help="Name of a data set.")] = "jarvis-dft3d") -> None:
    """Download a data set once; an interrupted download is resumed."""
    from phase2.cli.progress import transfer_bar
    from phase2.data.sources.registry import fetch_source

    with transfer_bar(f"fetching {name}") as progress:
        path = fetch_source(name, cache_dir(), progress=progress)
    note(f"{name}: {path}")


app.command("prepare")(prepare.prepare)
app.command("describe")(describe.describe)
app.command("convert")(convert.convert)
