"""``phase2 predict``: the properties of one structure, or of a folder of structures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import note, print_table
from phase2.errors import DataError, RequestError

if TYPE_CHECKING:
    from phase2.prediction.table import PredictionTable


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

    from phase2.prediction.structures import find_model, structure_files
    from phase2.prediction.table import check_output

    if output is not None:
        check_output(output)
    files = [cif] if cif is not None else structure_files(directory or Path())
    model_file = find_model(model, models)

    from phase2.cli.progress import work_bar
    from phase2.prediction.predictor import Predictor, predict_files

    predictor = Predictor.load(model_file)
    note(f"model: {predictor.path}")
    with work_bar("structures") as progress:
        table = predict_files(predictor, files, properties=keys, batch_size=batch_size, progress=progress)
    _deliver(table, output)
    _refuse_failures(table)


def _deliver(table: PredictionTable, output: Path | None) -> None:
    from phase2.prediction.table import write_table

    if output is not None:
        write_table(table, output)
        note(f"{len(table.rows) - len(table.failures)} of {len(table.rows)} structures predicted: {output}")
        return
    headings = [p.heading for p in table.properties]
    predicted = [row for row in table.rows if row.values is not None]
    warned = any(row.warning for row in predicted)
    columns = ("file", "formula", *headings, *(["warning"] if warned else []))
    rows = [
        (row.file, row.formula, *(f"{value:.4g}" for value in row.values), *([row.warning] if warned else []))
        for row in predicted
        if row.values is not None
    ]
    if rows:
        print_table("", columns, rows, numeric=headings)


def _refuse_failures(table: PredictionTable) -> None:
    failures = table.failures
    for row in failures:
        note(f"not predicted: {row.file}: {row.error}")
    if failures:
        raise DataError(
            f"{len(failures)} of {len(table.rows)} structures could not be predicted.",
            why="The reasons stand above.",
            fix="Repair or remove those files; all other structures were predicted.",
        )
