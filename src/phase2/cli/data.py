"""``phase2 data``: data sets, their graph stores and what they hold."""

from __future__ import annotations

from typing import Annotated

import typer

from phase2.cli.console import note, print_table

app = typer.Typer(help="List, fetch, prepare and describe data sets.", rich_markup_mode=None)

SourceOption = Annotated[str, typer.Option("--data", help="Name of a data set, or a path.")]
WorkersOption = Annotated[int | None, typer.Option("--workers", min=1, help="Processes (default: one per core).")]
