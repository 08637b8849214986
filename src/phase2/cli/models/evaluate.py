"""``phase2 evaluate``: errors of a model, or of predictions in a file, on labelled data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import note
from phase2.cli.models.options import MODEL_HELP, ForOption, PaddingOption, chosen_model_files
from phase2.cli.options import (
    DeviceOption,
    LimitOption,
    PropertiesFileOption,
    given_limits,
    given_properties,
    split_names,
)
from phase2.cli.store import StoreOption, local_runs, open_existing_store, print_json
from phase2.errors import RequestError, UnknownNameError

if TYPE_CHECKING:
    from phase2.config.data.own_properties import PropertyDefinition
    from phase2.evaluation.evaluate import Evaluated, Request
    from phase2.evaluation.label_columns import LabelColumn

FORMATS = ("table", "json")
PARTS = ("train", "val", "test", "all")


ColumnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--property",
        metavar="KEY:UNIT:COLUMN",
        help="Read the labels of a property of the model from this column of --data; or define a property of "
        "--predictions; may be repeated.",
        show_default=False,
    ),
]


def evaluate(  # noqa: PLR0913 - options
    *,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            help=f"{MODEL_HELP}; several are an ensemble (default: the best of the runs that compare with the newest).",
            autocompletion=local_runs,
        ),
    ] = None,
    by: ForOption = None,
    store: StoreOption = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            "--predictions",
            help="Judge the predictions of a CSV instead, joined by ids; --model names the one that defines its "
            "properties.",
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", help="A labelled data set, as for training (default: that of the model).")
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(
            "--part",
            "--split",
            help=f"Of the model's own split: {', '.join(PARTS)} (default: test; all of other data).",
        ),
    ] = None,
    properties: Annotated[
        str | None, typer.Option("--properties", help="Comma-separated; default: all that the model knows.")
    ] = None,
    own_properties: ColumnOption = None,
    properties_file: PropertiesFileOption = None,
    group_by: Annotated[
        str | None,
        typer.Option("--by", help="Comma-separated tables to print: training, system, size, element, spacegroup."),
    ] = None,
    boosting: Annotated[
        bool,
        typer.Option("--boosting", help="Fit gradient boosting to the training crystals as well."),
    ] = False,
    resamples: Annotated[
        int, typer.Option("--resamples", min=0, max=100_000, help="Bootstrap samples; 0 for no intervals.")
    ] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the bootstrap.")] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write predictions beside labels, with ids, to this .csv.")
    ] = None,
    output_format: Annotated[str, typer.Option("--format", help=f"{' or '.join(FORMATS)}.")] = "table",
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Crystals per batch.")] = 64,
    padding_buckets: PaddingOption = None,
    device: DeviceOption = "auto",
    settings: LimitOption = None,
) -> None:
    """Measure the errors of a model on labelled data: by property and kind of crystal, with intervals and baselines."""
    if output_format not in FORMATS:
        raise UnknownNameError.of("format", output_format, FORMATS)
    _check_predictions(predictions, data, given=[by is not None, part is not None, boosting])
    own, columns = _definitions(own_properties, properties_file, predictions, model)
    from phase2.cli.models.evaluation_tables import check_kinds, print_evaluation
    from phase2.evaluation.data import parse_part
    from phase2.evaluation.evaluate import Request
    from phase2.evaluation.tables import Sampling
    from phase2.prediction.table import check_output
    from phase2.runs.records.predictions import write_predictions

    kinds = check_kinds(None if group_by is None else split_names(group_by))
    if output is not None:
        check_output(output, (".csv",))
    request = Request(
        source=data,
        part=parse_part(part),
        properties=None if properties is None else split_names(properties),
        boosting=boosting,
        sampling=Sampling(resamples=resamples, seed=seed),
        limits=given_limits(settings),
        batch_size=batch_size,
        store=open_existing_store(store) if store else None,
        columns=columns,
    )
    if predictions is None:
        found = _of_models(model, by, store, request, device, padding_buckets)
    else:
        found = _of_file(predictions, request, own or _defined_by(model, store))
    for line in found.result.notes:
        note(f"note: {line}")
    if output is not None:
        write_predictions(output, found.predictions)
        note(f"{len(found.predictions.ids):,} crystals, predictions beside labels: {output}")
    if output_format == "json":
        print_json(found.result.model_dump(mode="json"))
    else:
        print_evaluation(found.result, kinds)


def _definitions(
    texts: list[str] | None, file: Path | None, predictions: Path | None, model: list[str] | None
) -> tuple[tuple[PropertyDefinition, ...], tuple[LabelColumn, ...]]:
    """Return the properties that predictions are of, or else the columns that a model's properties have in the data."""
    from phase2.evaluation.label_columns import LabelColumn

    if predictions is None and file is None:
        return (), tuple(map(LabelColumn.parse, texts or ()))
    if (texts or file) and (predictions is None or model):
        raise RequestError(
            "--property and --properties-file do not go with --model."
            if predictions
            else "--properties-file goes with --predictions.",
            why="A model has the definitions of its properties.",
            fix="Drop them." if predictions else "Drop it, or name a column with --property KEY:UNIT:COLUMN.",
        )
    return given_properties(texts, file) if texts or file else (), ()


def _check_predictions(predictions: Path | None, data: str | None, *, given: list[bool]) -> None:
    if predictions is None:
        return
    if any(given):
        raise RequestError(
            "--predictions does not go with --for, --part and --boosting.",
            why="The predictions are made already; the model's data are not read.",
            fix="Drop them.",
        )
    if data is None:
        raise RequestError("--predictions needs --data.", why="It says where the labels are.", fix="Add --data NAME.")


def _of_models(
    names: list[str] | None,
    by: str | None,
    store: str | None,
    request: Request,
    device: str,
    padding_buckets: int | None,
) -> Evaluated:
    from phase2.cli.progress import work_bar
    from phase2.evaluation.evaluate import evaluate_models
    from phase2.models.device import choose_device
    from phase2.prediction.predictor import Predictor

    where = choose_device(device)
    files = chosen_model_files(names, None, None, store, by)
    predictors = [Predictor.load(file, where, padding_buckets=padding_buckets) for file in files]
    for predictor in predictors:
        note(f"model: {predictor.path}")
    with work_bar("crystals") as progress:
        return evaluate_models(predictors, request, progress=progress)


def _defined_by(names: list[str] | None, store: str | None) -> tuple[PropertyDefinition, ...]:
    """Return the properties that models define, besides the nine."""
    if not names:
        return ()
    from phase2.config.data.property_texts import check_definitions
    from phase2.models.files.modelfile import load_model_file

    models = [load_model_file(file) for file in chosen_model_files(names, None, None, store, None)]
    found = tuple(dict.fromkeys(one for model in models for one in model.config.data.own_properties))
    check_definitions(found)
    return found


def _of_file(predictions: Path, request: Request, own: Sequence[PropertyDefinition]) -> Evaluated:
    from phase2.evaluation.evaluate import evaluate_predictions

    return evaluate_predictions(predictions, request, own)
