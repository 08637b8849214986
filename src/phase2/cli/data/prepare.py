"""``phase2 data prepare`` and ``process_data_phase2.py``: the graph store of a data set, ahead of training."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from phase2.cli.console import echo, note
from phase2.cli.data.options import CutoffOption, DataStoreOption, SourceOption, WorkersOption, find_data_store
from phase2.cli.options import SetOption, given_settings
from phase2.config.assignments import LIMITS, parse_setting
from phase2.errors import DataError

if TYPE_CHECKING:
    from phase2.data.store.store import GraphStore

_LISTED = 10


def prepare(
    data: SourceOption = "sample",
    workers: WorkersOption = None,
    cutoff: CutoffOption = None,
    settings: SetOption = None,
    store: DataStoreOption = None,
) -> None:
    """Build the graph store of a data set ahead of training, or fetch it; an existing one is reused."""
    _prepare(data, workers, cutoff, settings, store)


def process_data(
    data: SourceOption = "sample",
    workers: WorkersOption = None,
    cutoff: CutoffOption = None,
    settings: SetOption = None,
) -> None:
    """Build the graph store of a data set ahead of training, or fetch it; an existing one is reused."""
    beyond = [one for one in _prepare(data, workers, cutoff, settings).rejected if one.limit]
    for one in beyond[:_LISTED]:
        note(f"not read: {one.id}: {one.reason}")
    if beyond:
        raise DataError(
            f"{len(beyond)} records of {data} exceed a limit of reading.",
            why="The first reasons are listed above, and all in the file that is named there.",
            fix="Remove those records or raise the limit; all others are ready.",
        )


def _prepare(
    data: str, workers: int | None, cutoff: float | None, settings: list[str] | None, store: str | None = None
) -> GraphStore:
    from phase2.cli.progress import work_bar
    from phase2.config.combine import combine
    from phase2.config.resolve import resolve
    from phase2.data.dataset import open_graph_store
    from phase2.data.label_remarks import label_remarks
    from phase2.data.left_out import notes_on_left_out
    from phase2.data.rejections import reading_notes, rejection_notes

    # A workflow gives all settings of its run; only those of the graphs and of reading matter here.
    given = map(parse_setting, given_settings(settings))
    graphs = [one for one in given if one.path.startswith(("data.graph.", LIMITS))]
    config = resolve(combine({"data": data, "cutoff": cutoff}, settings=graphs)).config.data
    start = time.perf_counter()
    with work_bar("crystals") as progress:
        built = open_graph_store(config, stored_in=find_data_store(store), workers=workers, progress=progress)
    n = len(built.graphs.ids)
    echo(f"{n} crystals ready in {time.perf_counter() - start:.1f} s: {built.path}")
    for text in notes_on_left_out(config):
        echo(text)
    for text in rejection_notes(built.rejected, str(built.path / "rejected.csv")):
        echo(text)
    for text in reading_notes(built.remarks, str(built.path / "remarks.csv")):
        echo(text)
    for remark in label_remarks(built.graphs.targets, config.properties, built.graphs.ids):
        echo(f"remark: {remark}")
    return built
