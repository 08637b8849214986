"""The ``phase2 data`` command group."""

from __future__ import annotations

from typing import Annotated

import typer

from phase2.cli.console import note, print_table
from phase2.cli.data import convert, describe, prepare, push, stored
from phase2.cli.store import JsonOption, StoreOption, open_command_store, open_existing_store
from phase2.config.settings import cache_dir, store_url

app = typer.Typer(help="List, fetch, prepare, describe, convert and share data sets.", rich_markup_mode=None)


@app.command("list")
def list_sources(store: StoreOption = None, as_json: JsonOption = False) -> None:  # noqa: FBT002
    """List the named data sets, and whether they are downloaded, and those of the store, and which runs use them."""
    place = open_existing_store(store) if store else open_command_store(None)
    if store is not None or as_json:
        stored.print_stored(place, as_json=as_json)
        return
    from phase2.data.sources.registry import known_sources

    rows = [(source.name, source.summary, source.state(cache_dir())) for source in known_sources()]
    print_table("", ("name", "what it is", "state"), rows)
    if store_url() or stored.has_data(place):
        stored.print_stored(place, as_json=False)


@app.command("fetch")
def fetch(name: Annotated[str, typer.Argument(help="Name of a data set.")] = "jarvis-dft3d") -> None:
    """Download a data set once; an interrupted download is resumed."""
    from phase2.cli.progress import transfer_bar
    from phase2.data.sources.registry import fetch_source

    with transfer_bar(f"fetching {name}") as progress:
        path = fetch_source(name, cache_dir(), progress=progress)
    note(f"{name}: {path}")


app.command("prepare")(prepare.prepare)
app.command("push")(push.push)
app.command("pull")(stored.pull)
app.command("prune")(stored.prune)
app.command("describe")(describe.describe)
app.command("convert")(convert.convert)
