"""Options that several commands about data sets share."""

from __future__ import annotations

from typing import Annotated

import typer

from phase2.cli.options import variable_of

SourceOption = Annotated[
    str,
    typer.Option(
        "--data",
        help="sample, jarvis-dft3d, a file of structures, or a folder of them with a CSV.",
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
