"""Intervals of predictions, of one model or of an ensemble that is calibrated as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from phase2.errors import ModelFileError, RequestError
from phase2.prediction.agreement import check_learned_alike, joint_keys
from phase2.prediction.predictor import Predictor
from phase2.prediction.table import PredictionTable
from phase2.uncertainty.calibration import Calibration, labels_needed
from phase2.uncertainty.difficulty import ensemble_difficulty
from phase2.uncertainty.estimator import UncertaintyEstimator

MOST = 0.999


def check_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Return levels in ascending order, each once.

    Raises:
        RequestError: A level is not between 0 and 0.999.
    """
    for level in levels:
        if not 0 < level <= MOST:
            raise RequestError(
                f"An interval of {level:g} is not possible.",
                why=f"The share of crystals whose true value is inside lies between 0 and {MOST}.",
                fix="Give 0.9, for example: nine of ten.",
            )
    return tuple(sorted(set(levels)))


def joint_calibration(predictors: Sequence[Predictor], keys: Sequence[str] | None) -> Calibration:
    """Calibrate models as one: the mean of their predictions on the validation crystals that all of them share.

    Args:
        predictors: One model or more.
        keys: Keys of the requested properties; None for all.

    Raises:
        ModelFileError: A model file has no calibration.
        RequestError: The models were calibrated on different crystals, or learn a property in different forms and were
            written by a version that did not record what is needed to compare these.
        UnknownNameError: A model was not trained for a property.
    """
    keys = joint_keys(predictors) if keys is None else keys
    estimators = [uncertainty_of(one) for one in predictors]
    if len({one.crystals for one in estimators}) > 1:
        raise RequestError(
            "These models cannot be calibrated together.",
            why="They have different validation crystals: those of one may be training crystals of another.",
            fix="Name runs of the same data and split, or predict without intervals.",
        )
    parts = [
        estimator.calibration.select(predictor.output_columns(keys))
        for estimator, predictor in zip(estimators, predictors, strict=True)
    ]
    first = parts[0]
    if len(parts) == 1:
        return first
    if any(part.lacks_factors for part in parts):  # a mean over models per atom is one per cell, too
        check_learned_alike(predictors, keys, action="calibrated together", fix="Predict without intervals.")
        parts = [replace(part, factors=None) for part in parts]
        first = parts[0]
    physical = [part.decode(part.predicted) for part in parts]
    normalised = [first.encode(one).astype(np.float64) for one in physical]
    difficulty = ensemble_difficulty([part.difficulty.astype(np.float64) for part in parts], normalised)
    mean = first.encode(np.mean(physical, axis=0))
    return replace(first, predicted=mean, difficulty=difficulty.astype(np.float32))


def add_intervals(
    table: PredictionTable, members: Sequence[PredictionTable], calibration: Calibration, levels: Sequence[float]
) -> PredictionTable:
    """Return a table with intervals.

    Args:
        table: Predictions, for an ensemble the mean ones.
        members: Predictions of each member, with their difficulty; the table itself for a single model.
        calibration: Calibration of the model or of the ensemble, for the properties of the table.
        levels: Ascending levels.
    """
    predicted = [k for k, row in enumerate(table.rows) if row.values is not None]
    rows = list(table.rows)
    if predicted:
        values = np.stack([table.rows[k].values for k in predicted])  # type: ignore[misc]
        of_members = [np.stack([member.rows[k].difficulty for k in predicted]) for member in members]  # type: ignore[misc]
        difficulty, factors = of_members[0], _factors(members[0], predicted)
        if len(members) > 1:
            stacks = [np.stack([member.rows[k].values for k in predicted]) for member in members]  # type: ignore[misc]
            normalised = [calibration.scaler.encode(one, factors).astype(np.float64) for one in stacks]
            difficulty = ensemble_difficulty(of_members, normalised)
        bounds = [calibration.intervals(values, difficulty, level, factors) for level in levels]
        for k, of_row in zip(predicted, np.stack(bounds, axis=1), strict=True):
            rows[k] = replace(rows[k], intervals=of_row)
    notes = (*table.notes, *_impossible(calibration, levels))
    return replace(table, rows=tuple(rows), levels=tuple(levels), notes=notes)


def _factors(table: PredictionTable, rows: Sequence[int]) -> NDArray[np.float64] | None:
    """Return what learned values of these rows are multiplied by, (B, P) float64; None for 1."""
    found = [factors for k in rows if (factors := table.rows[k].factors) is not None]
    return np.stack(found) if found else None


def uncertainty_of(predictor: Predictor) -> UncertaintyEstimator:
    """Return what a model knows about its errors.

    Raises:
        ModelFileError: Its file has no calibration.
    """
    if predictor.model.uncertainty is None:
        raise ModelFileError(
            f"The model file {predictor.path} has no calibration: no validation errors, and no intervals.",
            why="Its run is not finished, or phase2 0.1 made it.",
            fix="Finish the run with --resume, train it again, or predict without --interval and --combine best.",
        )
    return predictor.model.uncertainty


def _impossible(calibration: Calibration, levels: Sequence[float]) -> list[str]:
    properties = calibration.scaler.properties
    binary = [
        f"no interval for {prop.key}: it is a binary property, and its prediction is a probability"
        for prop in properties
        if prop.task == "binary"
    ]
    return binary + [
        f"no interval of {level:g} for {prop.key}: calibrated on {calibration.count(k)} validation labels, "
        f"{labels_needed(level)} are needed"
        for k, prop in enumerate(properties)
        for level in levels
        if prop.task != "binary" and not calibration.is_possible(k, level)
    ]
