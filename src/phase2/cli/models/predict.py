"""``phase2 predict``: predict the properties of structures, from files, folders and data sets."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import echo_text, note, print_table
from phase2.cli.data_address import DATA_HELP
from phase2.cli.models.inputs import STANDARD_STREAM, FilesOption, given_files, list_records, list_structures
from phase2.cli.models.options import (
    MODEL_HELP,
    ForOption,
    ModelsOption,
    PaddingOption,
    ReadersOption,
    chosen_model_files,
)
from phase2.cli.options import DeviceOption, LimitOption, given_limits, variable_of
from phase2.cli.store import StoreOption, local_runs
from phase2.errors import DataError, RequestError

if TYPE_CHECKING:
    from phase2.prediction.predictor import Predictor
    from phase2.prediction.table import PredictionTable

RUNS_VARIABLE = "PHASE2_RUNS"
"""Runs to predict with, separated by spaces: a workflow learns only at run time how many there are."""


def predict(  # noqa: PLR0913 - options
    *,
    cif: FilesOption = None,
    directory: Annotated[
        str | None,
        typer.Option("--dir", help="A folder of structures, s3://bucket/prefix, or data pushed into the store."),
    ] = None,
    data: Annotated[str | None, typer.Option("--data", help=f"A data set, as for training: {DATA_HELP}.")] = None,
    part: Annotated[
        str | None, typer.Option("--part", help="Only this part of the structures: 2/8 is the second of eight.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="Write .csv, .json or .parquet here; - prints a CSV (default: print a table)."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            help=f"{MODEL_HELP}; may be repeated (default: the best of the runs that compare with the newest).",
            autocompletion=local_runs,
        ),
    ] = None,
    models: ModelsOption = None,
    run: Annotated[
        list[str] | None,
        typer.Option(
            "--run",
            help="A run of the store, by id, 'best' or 'latest'; may be repeated.",
            envvar=RUNS_VARIABLE,
            show_envvar=False,
            autocompletion=local_runs,
        ),
    ] = None,
    combine: Annotated[
        str,
        typer.Option(
            "--combine",
            help="Several models: their mean with its spread, or for each property the one with the smallest "
            "validation error: mean, best.",
        ),
    ] = "mean",
    by: ForOption = None,
    store: StoreOption = None,
    properties: Annotated[
        str | None,
        typer.Option(
            "--properties",
            help="Comma-separated; default: all that the model knows.",
            envvar=variable_of("--properties"),
            show_envvar=False,
        ),
    ] = None,
    interval: Annotated[
        list[float] | None,
        typer.Option(
            "--interval", help="Add the ends of an interval that holds this share of true values: 0.9; may be repeated."
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Crystals per batch.")] = 64,
    padding_buckets: PaddingOption = None,
    workers: ReadersOption = None,
    device: DeviceOption = "auto",
    settings: LimitOption = None,
) -> None:
    """Predict the properties of structures with a trained model, or with several: their mean, or the best of each."""
    if sum(map(bool, (cif, directory, data))) != 1:
        raise RequestError("Give one of --cif FILE, --dir FOLDER and --data NAME.", why="It says what to predict.")
    if cif and part:
        raise RequestError(
            f"--part {part} cannot be combined with --cif.",
            why="It divides the structures of a folder or of a data set.",
            fix=f"Write --data {cif[0]} --part {part} for structures of this file, or --dir FOLDER.",
        )
    if model and run:
        raise RequestError("Give either --model or --run.", why="One of them says which model predicts.")
    keys = None if properties is None else [name.strip() for name in properties.split(",") if name.strip()]

    from phase2.cli.progress import work_bar
    from phase2.prediction.ensemble import check_combine, predict_with
    from phase2.prediction.reading.graph_reader import GraphReader
    from phase2.prediction.table import check_output

    combined = check_combine(combine)
    limits = given_limits(settings)
    if output is not None and output != STANDARD_STREAM:
        check_output(output)
    with TemporaryDirectory() as folder, GraphReader(limits, workers=workers) as reader:
        if cif:
            given = given_files(cif, Path(folder), limits)
        elif data is not None:
            given = list_records(data, part, limits, store)
        else:
            given = list_structures(directory or "", part, Path(folder), limits, store)
        reader.start()  # gets ready while the models are loaded
        predictors = _load(chosen_model_files(model, run, models, store, by), device, padding_buckets)
        with work_bar("structures") as progress:
            table = predict_with(
                predictors,
                given.files,
                combine=combined,
                properties=keys,
                levels=interval or [],
                batch_size=batch_size,
                progress=progress,
                reader=reader,
            )
        table = table.relative_to(Path(folder)).with_rows(given.rows())
    _output(table, output)
    _raise_on_failures(table)


def _load(models: list[Path], device: str, padding_buckets: int | None) -> list[Predictor]:
    from phase2.models.device import choose_device
    from phase2.prediction.predictor import Predictor

    where = choose_device(device)
    predictors = [Predictor.load(path, where, padding_buckets=padding_buckets) for path in models]
    for predictor in predictors:
        note(f"model: {predictor.path}")
    return predictors


def _output(table: PredictionTable, output: Path | None) -> None:
    from phase2.prediction.table import csv_text, write_table

    for line in table.notes:
        note(line)
    if output == STANDARD_STREAM:
        echo_text(csv_text(table))
        return
    if output is not None:
        write_table(table, output)
        note(f"{len(table.rows) - len(table.failures)} of {len(table.rows)} structures predicted: {output}")
        return
    headings = table.numeric_headings()
    predicted = [row for row in table.rows if row.values is not None]
    warned = any(row.warning for row in predicted)
    columns = ("file", "formula", *headings, *(["warning"] if warned else []))
    rows = [
        (row.file, row.formula, *map(_cell, table.numbers(row)), *([row.warning] if warned else []))
        for row in predicted
    ]
    if rows:
        print_table("", columns, rows, numeric=headings)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _raise_on_failures(table: PredictionTable) -> None:
    failures = table.failures
    for row in failures:
        note(f"not predicted: {row.file}: {row.error}")
    if failures:
        raise DataError(
            f"{len(failures)} of {len(table.rows)} structures could not be predicted.",
            why="The reasons are listed above.",
            fix="Repair or remove those files; all other structures were predicted.",
        )
