"""Judging models, or predictions in a file, on labelled data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.config.schema import DataConfig
from phase2.data.dataset import CrystalPropertyDataset
from phase2.errors import DataError, Phase2Error, RequestError, TransientError
from phase2.evaluation.baseline import Boosting, fitted_boosting, median_predictions, own_medians, recorded_boosting
from phase2.evaluation.data import LabelledData, Part, check_part, data_to_read, open_labelled, open_part, own_dataset
from phase2.evaluation.joining import join
from phase2.evaluation.label_columns import LabelColumn, columns_by_key
from phase2.evaluation.notes import changed_note, left_out_notes, part_note, training_note
from phase2.evaluation.overlap import joint_kinship
from phase2.evaluation.predicting import predict_crystals
from phase2.evaluation.prediction_file import read_prediction_file
from phase2.evaluation.result import EvaluationResult
from phase2.evaluation.tables import Compared, Sampling, evaluate_groups
from phase2.prediction.agreement import joint_keys
from phase2.properties import Property, select_properties
from phase2.runs.records.predictions import PartPredictions

if TYPE_CHECKING:
    from phase2.config.data.own_properties import PropertyDefinition
    from phase2.prediction.predictor import Predictor
    from phase2.storage.base import Store
    from phase2.storage.progress import ProgressCallback


@dataclass(frozen=True, slots=True)
class Request:
    """What to judge on, and how.

    Attributes:
        source: Name or path of the data set; None for that of the first model.
        part: Part of the model's own split; None for the test part of its own data and all of other data.
        properties: Keys of the properties; None for all that the models, or the file, have.
        boosting: Whether to fit gradient boosting to the model's training crystals, to compare with.
        sampling: How intervals are drawn.
        limits: Limits of reading.
        batch_size: Crystals per batch.
        store: Store of the data sets; None for that of the environment.
        columns: Columns of labels that have other names than the properties.
    """

    source: str | None = None
    part: Part | None = None
    properties: tuple[str, ...] | None = None
    boosting: bool = False
    sampling: Sampling = field(default_factory=Sampling)
    limits: ReadingLimits = DEFAULT_LIMITS
    batch_size: int = 64
    store: Store | None = None
    columns: tuple[LabelColumn, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """Errors, and the predictions that they are measured on.

    Attributes:
        result: The errors.
        predictions: Predictions beside labels, with ids.
    """

    result: EvaluationResult
    predictions: PartPredictions


def evaluate_models(
    predictors: Sequence[Predictor], request: Request, *, progress: ProgressCallback | None = None
) -> Evaluated:
    """Judge one model, or several as an ensemble, on labelled data.

    Args:
        predictors: One model or more, all trained for the properties.
        request: What to judge on.
        progress: Callback receiving the number of predictions done, and their number.

    Raises:
        UnknownNameError: A model was not trained for a property.
        RequestError: A part of data that are not the model's own was asked for, or the models predict different
            properties and none were asked for.
        DataError: The data cannot be read or have no labels.
    """
    first = predictors[0]
    wanted = (
        joint_keys(predictors, instead="Evaluate them one by one") if request.properties is None else request.properties
    )
    chosen = tuple(first.model.properties[k] for k in first.output_columns(wanted))
    columns = columns_by_key(request.columns, chosen)
    trained = [own_dataset(one, request.source, request.store) for one in predictors]
    data, own = _data_of(first, trained[0], request, chosen, columns)
    keys = [p.key for p in chosen]
    predicted = predict_crystals(
        predictors, data, keys, batch_size=request.batch_size, stored_in=request.store, progress=progress
    )
    kin = joint_kinship(data, trained, [one.model.config.data.graph for one in predictors])
    boosting = _boosting(first, trained[0], data, keys, fit=request.boosting, own=own)
    median = median_predictions(first.model.scaler.select(first.output_columns(keys)), data)
    compared = Compared(chosen, data, predicted, median, boosting, kin)
    notes = [
        *part_note(data.part),
        *(changed_note(first.path, trained[0]) if own else ()),
        *training_note(kin, trained),
    ]
    return _finished(
        compared,
        request,
        models=tuple(one.model.run_id for one in predictors),
        median_of="training labels of the model" if len(predictors) == 1 else "training labels of the first model",
        notes=notes,
    )


def evaluate_predictions(path: Path, request: Request, own_properties: Sequence[PropertyDefinition] = ()) -> Evaluated:
    """Judge the predictions of a CSV on labelled data that have the same ids.

    Args:
        path: The CSV.
        request: What to judge on; its source is needed, and parts are of no use.
        own_properties: Definitions of properties besides the nine.

    Raises:
        UnknownNameError: A property was asked for that is neither one of the nine nor defined.
        DataError: The file or the data cannot be read, a property that was asked for is not in the file, an id stands
            twice, or no id is in both.
    """
    assert request.source is not None  # noqa: S101 - checked by the command
    config = DataConfig(source=request.source, limits=request.limits, own_properties=tuple(own_properties))
    own = tuple(one.as_property() for one in own_properties)
    file = read_prediction_file(path, select_properties(everything=True, own=own))
    if request.properties is not None:
        file = file.select(select_properties(request.properties, own=own), path)
    data = open_labelled(config, file.properties, request.store)
    joined = join(file, data.ids)
    data = data.select(joined.found)
    compared = Compared(
        file.properties,
        data,
        joined.values[joined.found],
        own_medians(data, file.properties),
        Boosting("not fitted: the model is not known", None, {}),
        None,
    )
    return _finished(
        compared,
        request,
        predictions=str(path),
        median_of="labels of this data set, which flatters it",
        notes=[*file.notes(path.name), *joined.notes(path.name)],
    )


def _data_of(
    first: Predictor,
    trained: CrystalPropertyDataset | Phase2Error,
    request: Request,
    chosen: Sequence[Property],
    columns: Mapping[str, LabelColumn],
) -> tuple[LabelledData, bool]:
    """Return the crystals to judge on, and whether they are of the model's own data set."""
    config = first.model.config.data
    source = request.source or config.source
    if columns and source == config.source:
        raise RequestError(
            "Columns of other names are those of other data.",
            why="The model's own data are read as they were for its training.",
            fix="Drop --property, or name other data with --data.",
        )
    if source == config.source:
        if isinstance(trained, TransientError):
            raise trained
        if isinstance(trained, Phase2Error):
            raise DataError(
                f"The data of the run are not at {source}, where it read them.",
                why=trained.what,
                fix="Say where they are now with --data: the same content is recognised, with its parts.",
            ) from trained
        return open_part(trained, config, check_part(request.part, own=True, source=source), chosen), True
    data = open_labelled(data_to_read(first.model, source, request.limits), chosen, request.store, columns)
    own = not isinstance(trained, Phase2Error) and trained.store.fingerprint == data.store.fingerprint
    part = check_part(request.part, own=own, source=source)
    if own and not isinstance(trained, Phase2Error):
        return open_part(trained, config, part, chosen), True
    return data, False


def _boosting(
    first: Predictor,
    trained: CrystalPropertyDataset | Phase2Error,
    data: LabelledData,
    keys: Sequence[str],
    *,
    fit: bool,
    own: bool,
) -> Boosting:
    if fit:
        if isinstance(trained, Phase2Error):
            return Boosting(f"not fitted: the training data are not here. {trained.what}", None, {})
        return fitted_boosting(trained, data, keys)
    if own:
        return recorded_boosting(first.path, data.part)
    return Boosting("not fitted; --boosting fits it to the training crystals of the model", None, {})


def _finished(
    compared: Compared,
    request: Request,
    *,
    median_of: str,
    notes: Sequence[str],
    models: tuple[str, ...] = (),
    predictions: str = "",
) -> Evaluated:
    data = compared.data
    groups, more = evaluate_groups(compared, request.sampling)
    missing = (np.isfinite(data.labels) & ~np.isfinite(compared.predicted)).sum(axis=0)
    result = EvaluationResult(
        models=models,
        predictions=predictions,
        data=data.source,
        part=data.part,
        crystals=len(data.index),
        unlabelled=data.unlabelled,
        rejected=len(data.store.rejected),
        not_predicted={p.key: int(n) for p, n in zip(compared.properties, missing, strict=True) if n},
        median_of=median_of,
        boosting=compared.boosting.where,
        training=_counted(compared.training),
        intervals=request.sampling.described(),
        notes=(*notes, *left_out_notes(data), *more),
        groups=tuple(groups),
    )
    formulas = data.store.graphs.formulas[data.index].tolist()
    return Evaluated(result, PartPredictions(compared.properties, data.ids, formulas, data.labels, compared.predicted))


def _counted(training: NDArray[np.str_] | None) -> dict[str, int]:
    return {} if training is None else dict(Counter(training.tolist()))
