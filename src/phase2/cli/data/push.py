"""``phase2 data push``: a data set and its graphs into a store, so that every machine can fetch them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import echo, note
from phase2.cli.data.options import CutoffOption, DataStoreOption, WorkersOption, open_data_store
from phase2.cli.options import SetOption, given_settings
from phase2.cli.store import JsonOption, print_json
from phase2.config.assignments import LIMITS, parse_setting
from phase2.config.data.addresses import check_name
from phase2.config.data.sets import CRYSTALS
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.data.stored.push import LocalData, Pushed
    from phase2.storage.base import Store

NameOption = Annotated[
    str | None,
    typer.Option("--name", help="Name of the data set in the store, for --data NAME; it has its address anyway."),
]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Point a name that another data set has to this one; its history is kept.")
]


def push(
    data: Annotated[str, typer.Argument(metavar="DATA", help="A file or a folder: what --data takes for training.")],
    name: NameOption = None,
    store: DataStoreOption = None,
    replace: ReplaceOption = False,  # noqa: FBT002
    workers: WorkersOption = None,
    cutoff: CutoffOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Store a data set and its graphs under the address of its content: all of it or nothing, and once.

    Files that the store has are not stored again; a push that was interrupted is resumed by the same command.
    """
    from phase2.data.stored.names import name_data, refuse_taken

    if name is not None:
        check_name(name)
    place, local, start = open_data_store(store, writes=True), read_local(data), time.perf_counter()
    if name is not None and not replace:
        refuse_taken(place, name, local.address)  # before anything is stored
    done = push_local(place, local, workers=workers, cutoff=cutoff, settings=settings)
    renamed = name is not None and name_data(place, name, done.address, replace=replace)
    if as_json:
        print_json(
            {"address": done.address, "name": name, "files": done.files, "uploaded": done.uploaded, "store": place.url}
        )
        return
    echo(done.address)
    if done.already:
        note(f"already in {place.url}: nothing was stored")
    else:
        note(f"{done.uploaded} of {done.files} files stored in {place.url} in {time.perf_counter() - start:.1f} s")
    if name is not None:
        note(f"{name} {'is this data set now' if renamed else 'was this data set already'}")
    note(f"use it: --data {name or done.address}")


def read_local(data: str) -> LocalData:
    """Hash the files of a data set of this machine.

    Raises:
        RequestError: It comes with phase2, or is in a store already.
        DataError: It does not exist, or a file cannot be read.
    """
    from phase2.data.stored.content import count_left_out
    from phase2.data.stored.opening import local_path
    from phase2.data.stored.push import LocalData

    if data in CRYSTALS:
        raise RequestError(
            f"{data} comes with phase2.", why="Every machine has it, or downloads it.", fix=f"Use it: --data {data}."
        )
    path = local_path(data)
    local = LocalData.read(path)
    if left_out := count_left_out(path):
        note(f"{left_out} files of {path} are neither structures nor tables, and are left out")
    return local


def push_local(
    store: Store,
    local: LocalData,
    *,
    workers: int | None = None,
    cutoff: float | None = None,
    settings: list[str] | None = None,
) -> Pushed:
    """Build the graphs of a data set of this machine, and push both."""
    from phase2.cli.progress import transfer_bar, work_bar
    from phase2.config.combine import combine
    from phase2.config.resolve import resolve
    from phase2.data.dataset import open_graph_store
    from phase2.data.sources.registry import open_source
    from phase2.data.stored.push import push_data

    given = map(parse_setting, given_settings(settings))
    graphs = [one for one in given if one.path.startswith(("data.graph.", LIMITS))]
    config = resolve(combine({"data": str(Path(local.path).absolute()), "cutoff": cutoff}, settings=graphs)).config.data
    with work_bar("crystals") as progress:
        built = open_graph_store(config, workers=workers, progress=progress)
    fingerprint = open_source(config.source, config.limits).fingerprint
    with transfer_bar(f"pushing {local.path.name}") as progress:
        return push_data(store, local, built, fingerprint, progress=progress)
