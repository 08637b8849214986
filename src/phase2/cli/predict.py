"""``phase2 predict``: the properties of one structure, or of a folder of structures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import note, print_table
from phase2.errors import DataError, RequestError

if TYPE_CHECKING:
    from phase2.prediction import PredictionTable


def predict(
    cif: Annotated[Path | None, typer.Option("--cif", help="One structure: CIF, POSCAR or JARVIS JSON.")] = None,
    directory: Annotated[Path | None, typer.Option("--dir", help="A folder of structures.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write .csv, .json or .parquet here (default: print a table).")
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="best.pt or its run folder (default: the newest finished run).")
    ] = None,
    models: Annotated[Path, typer.Option("--models", help="Where to look for the newest run.")] = Path("models"),
    properties: Annotated[
        str | None, typer.Option("--properties", help="Comma-separated; default: all that the model knows.")
    ] = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Crystals per batch.")] = 64,
) -> None:
    """Predict the properties of structures with a trained model."""
    if (cif is None) == (directory is None):
        raise RequestError("Give either --cif FILE or --dir FOLDER.", why="One of them says what to predict.")
    keys = None if properties is None else tuple(name.strip() for name in properties.split(",") if name.strip())

    from phase2.prediction import Predictor, check_output, find_model, predict_files, structure_files

    if output is not None:
        check_output(output)
    files = structure_files(directory) if directory is not None else [cif]
    predictor = Predictor.load(find_model(model, models))
    note(f"model: {predictor.path}")
    table = predict_files(predictor, files, properties=keys, batch_size=batch_size, progress=_progress(len(files)))
    _deliver(table, output)
    _report_failures(table, len(files))
