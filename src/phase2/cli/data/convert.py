"""``phase2 data convert``: a data set in another format, with its ids and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phase2.cli.console import echo, note
from phase2.cli.data.options import DataStoreOption, find_data_store
from phase2.cli.options import LimitOption, PropertiesFileOption, PropertyOption, given_limits, given_properties
from phase2.output.wording import counted

_LISTED = 10


def convert(
    data: Annotated[str, typer.Argument(metavar="IN", help="A data set by name or path, as for training.")],
    out: Annotated[Path, typer.Argument(help="A .jsonl, .json, .extxyz, .parquet or .db file, or a folder.")],
    to: Annotated[
        str | None,
        typer.Option(
            "--to", help="cif, poscar (folders), jarvis, pymatgen, extxyz, parquet or ase (default: by the name)."
        ),
    ] = None,
    own_properties: PropertyOption = None,
    properties_file: PropertiesFileOption = None,
    settings: LimitOption = None,
    store: DataStoreOption = None,
) -> None:
    """Write a data set in another format, with ids and labels: whole or not at all."""
    from phase2.cli.progress import work_bar
    from phase2.data.rejections import reading_notes
    from phase2.data.sources.absent import unread_columns
    from phase2.data.stored.opening import open_data_set
    from phase2.data.writers.convert import convert as write
    from phase2.data.writers.convert import target_of
    from phase2.properties import PROPERTIES

    target = target_of(out, to)
    limits = given_limits(settings)
    own = tuple(one.as_property() for one in given_properties(own_properties, properties_file))
    source = open_data_set(data, limits, (*PROPERTIES, *own), store=find_data_store(store))
    with work_bar("crystals") as progress:
        found = write(source, out, target, limits=limits, progress=progress)
    echo(f"{counted(found.written, 'crystal')} written as {target.title}: {out}")
    for text in reading_notes(found.remarks):
        note(text)
    for one in found.rejected[:_LISTED]:
        note(f"not written: {one.id}: {one.reason}")
    if found.rejected:
        note(f"{len(found.rejected)} records are no valid crystal and were not written.")
    if left := unread_columns(source):
        note(f"columns not written: {left}. --property writes those that it defines.")
