"""Ensembles: mean and standard deviation of the predictions of several models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, cast, get_args

import numpy as np

from phase2.errors import RequestError, UnknownNameError
from phase2.prediction.agreement import joint_columns, joint_keys
from phase2.prediction.choice import predict_by_best
from phase2.prediction.intervals import add_intervals, check_levels, joint_calibration
from phase2.prediction.predicting import joint_warning, novelties, predict_by_each, predict_structures, unpredicted
from phase2.prediction.predictor import Predictor
from phase2.prediction.reading.graph_reader import GraphReader
from phase2.prediction.table import PredictedStructure, PredictionTable
from phase2.storage.progress import ProgressCallback

if TYPE_CHECKING:
    from phase2.prediction.reading.inputs import StructureLike

Combine = Literal["mean", "best"]
"""What is made of the predictions of several models."""


def check_combine(text: str) -> Combine:
    """Return a way to combine models by its name.

    Raises:
        UnknownNameError: There is no such way.
    """
    if text not in get_args(Combine):
        raise UnknownNameError.of("way to combine models", text, get_args(Combine))
    return cast("Combine", text)


def predict_with(
    predictors: Sequence[Predictor],
    structures: Sequence[StructureLike],
    *,
    combine: Combine = "mean",
    properties: Sequence[str] | None = None,
    levels: Sequence[float] = (),
    batch_size: int = 64,
    progress: ProgressCallback | None = None,
    reader: GraphReader | None = None,
) -> PredictionTable:
    """Predict structures with one model, or with several.

    Args:
        predictors: One model or more.
        structures: Paths of structure files, crystals, pymatgen structures or ASE atoms.
        combine: With several models: ``mean`` predicts their mean and its spread, ``best`` each property by the model
            with the smallest validation error.
        properties: Keys of the requested properties; all by default, of any of the models with ``best``.
        levels: Levels of intervals to add: 0.9 holds nine of ten true values; none by default.
        batch_size: Number of structures per batch.
        progress: Callback receiving the number of predictions done, and their number: structures times models.
        reader: Reader of the structures; one with the default limits if None.

    Raises:
        UnknownNameError: A model was not trained for a property.
        RequestError: A level is impossible, or the models predict different properties and none are requested, define a
            property differently, or cannot be calibrated together or compared.
        ModelFileError: Intervals were requested of a model file without calibration, or it is to be compared.
    """
    if len(predictors) > 1:
        predict = predict_ensemble if combine == "mean" else predict_by_best
        return predict(
            predictors,
            structures,
            properties=properties,
            levels=levels,
            batch_size=batch_size,
            progress=progress,
            reader=reader,
        )
    levels = check_levels(levels)
    calibration = joint_calibration(predictors, properties) if levels else None
    table = predict_structures(
        predictors[0], structures, properties=properties, batch_size=batch_size, progress=progress, reader=reader
    )
    return table if calibration is None else add_intervals(table, [table], calibration, levels)


def predict_ensemble(
    predictors: Sequence[Predictor],
    structures: Sequence[StructureLike],
    *,
    properties: Sequence[str] | None = None,
    levels: Sequence[float] = (),
    batch_size: int = 64,
    progress: ProgressCallback | None = None,
    reader: GraphReader | None = None,
) -> PredictionTable:
    """Predict structures with every model, and return mean and standard deviation of each property.

    Deep ensembles (Lakshminarayanan et al., NeurIPS 2017): models that differ only in their seed disagree most where
    they are least certain. The standard deviation is that of a sample (n - 1); it is no calibrated error bar, which
    intervals are.

    Args:
        predictors: Two or more models, all trained for the requested properties.
        structures: Paths of structure files, crystals, pymatgen structures or ASE atoms.
        properties: Keys of the requested properties; all by default.
        levels: Levels of intervals of the mean, calibrated for the ensemble as a whole; none by default.
        batch_size: Number of structures per batch.
        progress: Callback receiving the number of predictions done, and their number: structures times models.
        reader: Reader of the structures; one with the default limits if None.

    Raises:
        UnknownNameError: A model was not trained for a property.
        RequestError: There is only one model, the models predict different properties and none are requested, define a
            property differently, a level is impossible, or they cannot be calibrated together.
        ModelFileError: Intervals were requested of a model file without calibration.
    """
    if len(predictors) < 2:
        raise RequestError("One model is no ensemble.", why="It has no spread.", fix="Name two models or more.")
    keys = joint_keys(predictors) if properties is None else properties
    columns = joint_columns(predictors, keys)  # fails before hours are spent on the others
    levels = check_levels(levels)
    calibration = joint_calibration(predictors, keys) if levels else None
    tables = predict_by_each(predictors, columns, structures, batch_size=batch_size, progress=progress, reader=reader)
    table = combine_tables(tables)
    return table if calibration is None else add_intervals(table, tables, calibration, levels)


def combine_tables(tables: Sequence[PredictionTable]) -> PredictionTable:
    """Average the tables of several models for the same structures and properties, with standard deviations.

    A structure without a prediction in one of the tables has none in the result.
    """
    rows = tuple(_combine_rows(rows) for rows in zip(*(table.rows for table in tables), strict=True))
    return PredictionTable(tables[0].properties, rows, members=len(tables))


def _combine_rows(rows: Sequence[PredictedStructure]) -> PredictedStructure:
    if (failed := unpredicted(rows)) is not None:
        return failed
    stack = np.stack([row.values for row in rows if row.values is not None])
    known = novelties(rows)
    novelty = float(np.median(known)) if known else None
    return PredictedStructure(
        rows[0].file,
        rows[0].formula,
        stack.mean(axis=0),
        warning=joint_warning(rows, novelty),
        spread=stack.std(axis=0, ddof=1),
        novelty=novelty,
    )
