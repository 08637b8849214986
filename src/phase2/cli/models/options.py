"""Which model a command uses: a file, a run of a store, or the one to use where none is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from phase2.cli.console import note
from phase2.cli.store import MODELS, open_existing_store
from phase2.config.settings import store_url

MODEL_HELP = "best.pt, its run folder or one of the Hub, or a run of the store by id, 'best', 'latest' or address"
"""What ``--model`` of a command that predicts takes."""

ForOption = Annotated[
    str | None,
    typer.Option("--for", help="Choose the best run by the validation MAE of this property."),
]


ModelsOption = Annotated[
    Path | None,
    typer.Option(
        "--models",
        help="Folder to look for a run in where none is named (default: the store).",
        show_default=False,
    ),
]


PaddingOption = Annotated[
    int | None,
    typer.Option(
        "--padding-buckets",
        min=0,
        max=64,
        help="Most sizes that batches are padded to; 0 pads none (default: 4 on a GPU, none on a CPU).",
        show_default=False,
    ),
]

ReadersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        max=1024,
        help="Most processes that read files (default: one per core, at most 32).",
        show_default=False,
    ),
]


def chosen_model_files(
    model: Sequence[str] | None, run: Sequence[str] | None, models: Path | None, store: str | None, by: str | None
) -> list[Path]:
    """Return the model files that ``--model`` or ``--run`` name; that of the run to use where neither is given.

    One that is named twice is noted.

    Args:
        model: Model files, folders of runs, or runs of the store.
        run: Runs of the store, whatever files there are of these names.
        models: Folder with the run to use; None for that of the store.
        store: Store that the command was given; None for that of the environment, or the folder ``models``.
        by: A property by which the best run is chosen.

    Raises:
        RequestError: There is no such run, or ``by`` does not go with what is named.
        ModelFileError: There is no finished run.
    """
    found = _model_files(model, run, models, store, by)
    for path, count in Counter(one.resolve() for one in found).items():
        if count > 1:
            note(f"note: {path} is named {count} times: it agrees with itself, which says nothing")
    return found


def _model_files(
    model: Sequence[str] | None, run: Sequence[str] | None, models: Path | None, store: str | None, by: str | None
) -> list[Path]:
    from phase2.api.runs.references import model_file
    from phase2.prediction.stored_inputs import download_model
    from phase2.runs.catalog.best import BEST, named_best
    from phase2.runs.catalog.lookup import default_model_file

    folder = models or Path(MODELS)
    if run:
        place = open_existing_store(store)
        return [download_model(place, named_best(name, by), folder) for name in run]
    if model:
        return [model_file(named_best(name, by), store or models) for name in model]
    if models is None and (store or store_url()):
        return [model_file(None if by is None else named_best(BEST, by), store)]
    return [default_model_file(folder, by)]
