"""``phase2 runs page`` and ``phase2 runs serve``: a page of all runs of a store, as files and on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import echo, note
from phase2.cli.runs.sealed import refuse_sealed_run
from phase2.cli.store import StoreOption, open_existing_store
from phase2.errors import RequestError
from phase2.output.wording import counted

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer

    from phase2.runs.page.build import BuiltPage
    from phase2.runs.page.live import LivePage

PORT = 8642


def page(
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="DIR", help="Where the page is written: a folder, or s3://bucket/prefix."),
    ] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Write it into the store, below page/.")] = False,  # noqa: FBT002
    store: StoreOption = None,
    reports: Annotated[
        str | None,
        typer.Option("--reports", metavar="URL", help="Web address of the store, where it has one, for links."),
    ] = None,
    rebuild: Annotated[  # noqa: FBT002
        bool, typer.Option("--rebuild", help="Read every run, not only new and changed ones.")
    ] = False,
) -> None:
    """Write a page of all runs of a store: a table, the best, learning curves, and comparisons."""
    from phase2.runs.keys import folder_of
    from phase2.runs.page.build import INDEX, build_page
    from phase2.runs.page.links import PAGE, check_base
    from phase2.storage.urls import open_store

    if (out is None) is not publish:
        raise RequestError(
            "One place for the page is needed.", fix="Give --out DIR, or --publish for the store itself."
        )
    base = None if reports is None else check_base(reports)
    runs = open_existing_store(store)
    place = open_store(out or f"{runs.url.rstrip('/')}/{PAGE}")
    if (folder := folder_of(place)) is not None:
        refuse_sealed_run(folder, "--out")
    built = build_page(runs, place, reports=base, rebuild=rebuild)
    _warn_of_unreadable(built)
    echo(f"{counted(built.runs, 'run')}, {built.read} read: {'written' if built.changed else 'unchanged'}")
    echo(f"{place.url.rstrip('/')}/{INDEX}")


def serve(
    store: StoreOption = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port on this machine; 0 takes any.")] = PORT,
    refresh: Annotated[
        float, typer.Option("--refresh", min=1, max=3600, help="Seconds between two looks at the store.")
    ] = 10.0,
) -> None:
    """Show the page of all runs of a store in a browser on this machine, and keep it up to date."""
    from phase2.runs.page.live import live_page

    live = live_page(open_existing_store(store), refresh)
    live.refresh()
    if live.built is not None:
        _warn_of_unreadable(live.built)
    server = _bind(live, port)
    echo(f"http://localhost:{server.server_port}/")
    note("Ctrl-C ends it")
    _run(live, server, refresh)


def _bind(live: LivePage, port: int) -> ThreadingHTTPServer:
    from phase2.runs.page.server import make_server

    try:
        return make_server(live, port)
    except OSError as error:
        raise RequestError(
            f"Port {port} cannot be used.", why=f"{error.strerror}.", fix="Choose another with --port, or 0 for any."
        ) from error


def _run(live: LivePage, server: ThreadingHTTPServer, refresh: float) -> None:
    from threading import Event, Thread

    stop = Event()
    keeper = Thread(target=live.keep_fresh, args=(refresh, stop), daemon=True)
    keeper.start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        note("ended")
    finally:
        stop.set()
        server.server_close()


def _warn_of_unreadable(built: BuiltPage) -> None:
    for prefix in built.unreadable[:5]:
        note(f"warning: {prefix} cannot be read, and is left out; 'phase2 runs show' says why")
    if len(built.unreadable) > 5:
        note(f"warning: and {len(built.unreadable) - 5} more")
