"""``phase2 data describe``: what a data set holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import echo, note, print_table
from phase2.cli.data.options import DataStoreOption, SourceOption, find_data_store
from phase2.cli.options import LimitOption, PropertiesFileOption, PropertyOption, given_limits, given_properties
from phase2.cli.store import print_json
from phase2.errors import RequestError, UnknownNameError
from phase2.output.wording import counted

if TYPE_CHECKING:
    from phase2.data.description import DataDescription, LabelDescription, RecordsOfReason

FORMATS = ("table", "json")
_SHOWN = 5


def describe(
    data: SourceOption = "sample",
    form: Annotated[str, typer.Option("--format", help="table or json.")] = "table",
    plot: Annotated[Path | None, typer.Option("--plot", help="Draw it as one picture: FILE.png.")] = None,
    settings: LimitOption = None,
    store: DataStoreOption = None,
    own_properties: PropertyOption = None,
    properties_file: PropertiesFileOption = None,
) -> None:
    """Show what a data set holds: crystals, elements, sizes, labels, equal structures, odd labels, rejected records."""
    if form not in FORMATS:
        raise UnknownNameError.of("format", form, FORMATS)
    if plot is not None and plot.suffix.lower() != ".png":
        raise RequestError(f"--plot {plot} is no PNG.", why="The picture is one.", fix="Give a name that ends in .png.")
    from phase2.cli.progress import work_bar
    from phase2.config.schema import DataConfig
    from phase2.data.dataset import open_graph_store
    from phase2.data.description import describe_store
    from phase2.data.left_out import notes_on_left_out
    from phase2.data.sources.absent import unread_columns
    from phase2.data.stored.opening import open_data_set

    own = given_properties(own_properties, properties_file)
    config = DataConfig(source=data, limits=given_limits(settings), own_properties=own)
    place = find_data_store(store)
    with work_bar("crystals") as progress:
        built = open_graph_store(config, stored_in=place, progress=progress)
    source = open_data_set(data, config.limits, config.properties, store=place)
    found = describe_store(data, built, config.properties, notes_on_left_out(config))
    if form == "json":
        print_json(found.to_json())
    else:
        _print(found, built.path / "rejected.csv", unread_columns(source))
    if plot is not None:
        from phase2.cli.data.figure import draw_description

        draw_description(plot, found)
        note(f"picture: {plot}")


def _print(found: DataDescription, rejected: Path, unread: str) -> None:
    title = f"{found.source}: {counted(found.crystals, 'crystal')}, {counted(found.rejected, 'record')} rejected"
    print_table(
        title, ("property", "unit", "labels", "lowest", "median", "highest"), map(_row, found.labels),
        numeric=("labels", "lowest", "median", "highest"),
    )  # fmt: skip
    smallest, median, largest = found.sizes
    frequent = sorted(found.elements.items(), key=lambda one: -one[1])
    echo(f"atoms in a cell: {smallest} to {largest}, median {median}")
    echo(f"elements: {len(frequent)}; most frequent: {', '.join(f'{s} {n}' for s, n in frequent[:10])}")
    if rare := [f"{symbol} {count}" for symbol, count in frequent[::-1] if count < _SHOWN]:
        echo(f"elements in fewer than {_SHOWN} crystals: {', '.join(rare)}")
    echo(f"different formulas: {found.formulas}; crystals without a label: {found.unlabelled}")
    _print_equal(found)
    if unread:
        echo(f"columns that are no property: {unread}; --property defines one")
    for remark in found.remarks:
        echo(f"remark: {remark}")
    if found.readings:
        echo(f"read with a remark, all in {rejected.with_name('remarks.csv')}:")
        _print_reasons(found.readings)
    for text in found.left_out:
        echo(text)
    if found.reasons:
        echo(f"rejected, all reasons in {rejected}:")
    _print_reasons(found.reasons)


def _print_reasons(reasons: Sequence[RecordsOfReason]) -> None:
    for one in reasons[:_SHOWN]:
        echo(f"  {one.count} such as {one.ids[0]}: {one.reason}")
    if len(reasons) > _SHOWN:
        echo(f"  and {len(reasons) - _SHOWN} further reasons")


def _print_equal(found: DataDescription) -> None:
    groups = "; ".join(" = ".join(group[:_SHOWN]) for group in found.duplicates[:_SHOWN])
    echo(f"crystals equal to another one: {found.duplicated}" + (f", such as {groups}" if groups else ""))
    if found.repeated_ids:
        echo(f"ids that several crystals have: {', '.join(found.repeated_ids)}")


def _row(labels: LabelDescription) -> tuple[str, ...]:
    figures = (labels.lowest, labels.median, labels.highest)
    shown = ["-" if one is None else f"{one:.4g}" for one in figures]
    return labels.key, labels.unit or "-", str(labels.count), *shown
