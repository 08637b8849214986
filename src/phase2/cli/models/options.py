"""Which model a command uses: a file, a run of a store, or the one to use where none is named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from phase2.cli.store import open_command_store

ForOption = Annotated[
    str | None,
    typer.Option("--for", help="Choose the best run by the validation MAE of this property."),
]


def chosen_model_files(
    model: Sequence[Path] | None, run: Sequence[str] | None, models: Path, store: str | None, by: str | None
) -> list[Path]:
    """Return the model files that ``--model`` or ``--run`` name; that of the run to use where neither is given.

    Raises:
        RequestError: There is no such run, or ``by`` does not go with what is named.
        ModelFileError: There is no finished run.
    """
    from phase2.prediction.stored_inputs import download_model
    from phase2.prediction.structures import find_model_file
    from phase2.runs.catalog.best import named_best

    if run:
        place = open_command_store(store)
        return [download_model(place, named_best(name, by), models) for name in run]
    return [find_model_file(path, models, by) for path in model or (None,)]
