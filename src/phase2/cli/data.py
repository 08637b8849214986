"""``phase2 data``: list, download, prepare and describe data sets."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import echo, note, print_table
from phase2.cli.options import LimitOption, SetOption, given_limits, given_settings, variable_of
from phase2.config.assignments import LIMITS, parse_setting
from phase2.config.settings import cache_dir
from phase2.errors import DataError

if TYPE_CHECKING:
    from phase2.data.store.store import GraphStore

_LISTED = 10

app = typer.Typer(help="List, fetch, prepare and describe data sets.", rich_markup_mode=None)

SourceOption = Annotated[
    str,
    typer.Option(
        "--data",
        help="sample, jarvis-dft3d, a JSON/JSONL file, or a folder of CIF with a CSV.",
        envvar=variable_of("--data"),
        show_envvar=False,
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


@app.command("prepare")
def prepare(
    data: SourceOption = "sample",
    workers: WorkersOption = None,
    cutoff: CutoffOption = None,
    settings: SetOption = None,
) -> None:
    """Build the graph store of a data set ahead of training; an existing one is reused."""
    _prepare(data, workers, cutoff, settings)


def process_data(
    data: SourceOption = "sample",
    workers: WorkersOption = None,
    cutoff: CutoffOption = None,
    settings: SetOption = None,
) -> None:
    """Build the graph store of a data set ahead of training; an existing one is reused."""
    beyond = [one for one in _prepare(data, workers, cutoff, settings).rejected if one.limit]
    for one in beyond[:_LISTED]:
        note(f"not read: {one.id}: {one.reason}")
    if beyond:
        raise DataError(
            f"{len(beyond)} records of {data} exceed a limit of reading.",
            why="The first reasons are listed above, and all in the file that is named there.",
            fix="Remove those records or raise the limit; all others are ready.",
        )


def _prepare(data: str, workers: int | None, cutoff: float | None, settings: list[str] | None) -> GraphStore:
    from phase2.cli.progress import work_bar
    from phase2.config.combine import combine
    from phase2.config.resolve import resolve
    from phase2.data.dataset import open_graph_store

    # A workflow gives all settings of its run; only those of the graphs and of reading matter here.
    given = map(parse_setting, given_settings(settings))
    graphs = [one for one in given if one.path.startswith(("data.graph.", LIMITS))]
    config = resolve(combine({"data": data, "cutoff": cutoff}, settings=graphs)).config.data
    start = time.perf_counter()
    with work_bar("crystals") as progress:
        store = open_graph_store(config, workers=workers, progress=progress)
    n = len(store.graphs.ids)
    echo(f"{n} crystals ready in {time.perf_counter() - start:.1f} s: {store.path}")
    if store.rejected:
        echo(f"{len(store.rejected)} records are no valid crystal; reasons: {store.path / 'rejected.csv'}")
    return store


@app.command("describe")
def describe(data: SourceOption = "sample", settings: LimitOption = None) -> None:
    """Show how many labels a data set has of each property, and their range."""
    import numpy as np

    from phase2.cli.progress import work_bar
    from phase2.config.schema import DataConfig
    from phase2.data.dataset import open_graph_store
    from phase2.properties import PROPERTIES

    with work_bar("crystals") as progress:
        store = open_graph_store(DataConfig(source=data, limits=given_limits(settings)), progress=progress)
    rows = []
    for prop, column in zip(PROPERTIES, np.asarray(store.graphs.targets).T, strict=True):
        labels = column[~np.isnan(column)]
        figures = [f"{q:.4g}" for q in np.quantile(labels, (0, 0.5, 1))] if len(labels) else ["-"] * 3
        rows.append((prop.key, prop.unit or "-", str(len(labels)), *figures))
    title = f"{data}: {len(store.graphs.ids)} crystals, {len(store.rejected)} records rejected"
    print_table(
        title, ("property", "unit", "labels", "lowest", "median", "highest"), rows,
        numeric=("labels", "lowest", "median", "highest"),
    )  # fmt: skip
