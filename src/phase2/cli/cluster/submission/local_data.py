"""Data of this machine for runs on a cluster: pushed into the store first, which the pods read."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.cluster.options import ClusterArguments
from phase2.cli.console import confirm, note
from phase2.cli.data_address import Request
from phase2.cluster.visibility import CACHE, unseen_data
from phase2.config.data.addresses import is_on_server
from phase2.config.data.sets import CRYSTALS
from phase2.config.settings import STORE_VARIABLE, store_url
from phase2.errors import RequestError
from phase2.storage.disk.home import expand_home

if TYPE_CHECKING:
    from phase2.data.stored.push import LocalData

PushOption = Annotated[
    bool, typer.Option("--push", help="Push --data of this machine into the store first, where pods find them.")
]


def data_for_pods(
    request: Request, cluster: ClusterArguments, *, push: bool, dry_run: bool, backend: str | None = None
) -> tuple[Request, Callable[[], None]]:
    """Return a request whose data pods can read, and the function that pushes them: files of this machine.

    They are named by their content, which is known before. So a request that is refused stores nothing.

    Args:
        request: The request.
        cluster: Options of the cluster, with the store of the runs.
        push: Whether pushing was asked for; otherwise a person at a terminal is asked.
        dry_run: Whether nothing is going to be pushed, and nobody is asked.
        backend: Backend that was chosen; processes of this machine read its files.

    Raises:
        RequestError: The data are of this machine, and neither ``--push`` nor a terminal says to push them; or no
            store is known, or ``--push`` was given where nothing is submitted.
        DataError: The data cannot be read.
        TransientError: The store does not respond.
    """
    data = request.data
    if backend == "local":
        if push:
            raise RequestError("--push cannot be combined with --backend local.", fix="Drop it: the data are here.")
        return request, _nothing
    if data is None or not _is_here(data):
        return request, _nothing
    store = cluster.options.store or store_url()
    if not push and not (sys.stdin.isatty() and store and not dry_run):
        given = f" --store {store}" if cluster.options.store else ""
        raise unseen_data(data, f"Add --push, or push them first: phase2 data push {shlex.quote(data)}{given}")
    if store is None:
        raise RequestError(
            f"--data {data} cannot be pushed: no store is known.",
            why="Pods fetch data from the store of their runs.",
            fix=f"Give --store s3://bucket/prefix, or set {STORE_VARIABLE}.",
        )
    if not push:
        confirm(f"Push {data} into {store}, where the pods find it?", action="submitted", yes=False)
    from phase2.cli.data.push import read_local

    local = read_local(data)
    return replace(request, data=local.address), partial(_push, local, store)


def _push(local: LocalData, store: str) -> None:
    from phase2.cli.data.push import push_local
    from phase2.storage.urls import open_store

    done = push_local(open_store(store), local)
    note(f"data: {done.address}: {'in the store already' if done.already else 'pushed'}")


def _nothing() -> None:
    return


def _is_here(data: str) -> bool:
    """Return whether data are files that this machine has or fetches from a server, and pods have not."""
    if data in CRYSTALS or data.startswith(f"{CACHE}/"):
        return False
    return is_on_server(data) or expand_home(data).exists()
