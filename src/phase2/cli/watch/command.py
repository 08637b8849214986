"""``phase2 watch``: watch runs as they train."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.cluster.options import ContextOption, NamespaceOption
from phase2.cli.console import note
from phase2.cli.store import StoreOption
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.cli.watch.sources import WatchSource

RunsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN]...", help="Runs by id, name, unique prefix, path or address; those in progress without one."
    ),
]
ClusterOption = Annotated[
    bool, typer.Option("--cluster", help="Watch runs of a cluster; --namespace and --context say so as well.")
]
PlainOption = Annotated[
    bool, typer.Option("--plain", help="Print lines instead of a screen, as where the output is no terminal.")
]


def watch(
    runs: RunsArgument = None,
    store: StoreOption = None,
    cluster: ClusterOption = False,  # noqa: FBT002
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    plain: PlainOption = False,  # noqa: FBT002
) -> None:
    """Watch runs as they train, here, in a bucket or in a cluster: progress, time left, errors, attempts.

    q and Ctrl-C leave; the runs do not notice. Without a terminal, or on one that cannot be drawn on, a line is printed
    for each epoch and each new state, until all runs have ended.
    """
    from phase2.cli.watch.looker import Looker
    from phase2.cli.watch.plain import print_lines
    from phase2.cli.watch.screen import show_screen
    from phase2.cli.watch.terminal import can_draw, terminal_console

    in_cluster = cluster or namespace is not None or context is not None
    if in_cluster and store is not None:
        raise RequestError(
            "--store cannot be combined with --cluster, --namespace and --context.",
            why="A run is watched in its store or in the cluster.",
            fix="Drop one of them.",
        )
    names = tuple(dict.fromkeys(runs or ()))
    source, where = _cluster(names, namespace, context) if in_cluster else _store(names, store)
    console = terminal_console()
    try:
        with Looker(source) as looker:
            if plain or not can_draw(console):
                print_lines(looker)
            else:
                show_screen(looker, console, where)
    except KeyboardInterrupt:
        note("no longer watching; the runs continue")


def _store(names: tuple[str, ...], url: str | None) -> tuple[WatchSource, str]:
    from phase2.cli.store import named_in, open_existing_store
    from phase2.cli.watch.sources import StoredRuns

    named = [named_in(name, url) for name in names]
    if len({store.url for store, _ in named}) > 1:
        raise RequestError(
            "The runs are in several stores.",
            why="Those of one store are watched together.",
            fix="Watch the runs of each store in a terminal of its own.",
        )
    store = named[0][0] if named else open_existing_store(url)
    return StoredRuns(store, tuple(name for _, name in named)), store.url


def _cluster(names: tuple[str, ...], namespace: str | None, context: str | None) -> tuple[WatchSource, str]:
    from phase2.cli.cluster.options import connected, namespace_of
    from phase2.cluster.watch.source import ClusterRuns

    cluster = connected(context, namespace_of(context, namespace))
    return ClusterRuns(cluster, names), f"namespace {cluster.namespace}"
