"""The best of several models for each property, by what they were wrong by on the validation crystals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from phase2.errors import RequestError
from phase2.prediction.agreement import joint_columns
from phase2.prediction.intervals import add_intervals, check_levels, joint_calibration, uncertainty_of
from phase2.prediction.predicting import joint_warning, predict_by_each
from phase2.prediction.predictor import Predictor
from phase2.prediction.reading import GraphReader
from phase2.prediction.requested import check_requested
from phase2.prediction.table import PredictedStructure, PredictionTable
from phase2.properties import Property
from phase2.storage.progress import ProgressCallback
from phase2.uncertainty.log_loss import log_losses

if TYPE_CHECKING:
    from phase2.prediction.inputs import StructureLike


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The model that predicts a property.

    Attributes:
        property: The property.
        predictor: The model.
        errors: Validation errors of all models that were trained for it, by run: in the property's unit, per atom
            where it is learned per atom, and log losses of a binary one. Empty where there was nothing to choose.
    """

    property: Property
    predictor: Predictor
    errors: dict[str, float]

    def sentence(self) -> str:
        """Return which model was chosen, and the validation errors of all, on one line."""
        chosen = self.predictor.model.run_id
        if not self.errors:
            return f"{self.property.key}: run {chosen}, the only one that was trained for it"
        others = "".join(f"; run {run}: {error:.3g}" for run, error in self.errors.items() if run != chosen)
        error = f"{self.errors[chosen]:.3g}"
        if self.property.task == "binary":
            return f"{self.property.key}: run {chosen} (validation log loss {error}{others})"
        per_atom = " per atom" if self.property.per in {"cell", "volume"} else ""
        unit = f" {self.property.unit}".rstrip()
        return f"{self.property.key}: run {chosen} (validation MAE{per_atom} {error}{unit}{others})"


def choose_models(predictors: Sequence[Predictor], keys: Sequence[str] | None = None) -> list[Choice]:
    """Choose the model with the smallest validation error for each property; of equals the first.

    Args:
        predictors: The models, trained for properties that may differ.
        keys: Keys of the wanted properties; all that any of the models was trained for by default.

    Raises:
        UnknownNameError: No model was trained for a property.
        RequestError: The list is empty or names a property twice, two models are of one run, or models of a property
            define it differently or were validated on different crystals.
        ModelFileError: A model file without calibration has rivals.
    """
    known = list(dict.fromkeys(p.key for one in predictors for p in one.model.properties))
    wanted = known if keys is None else list(keys)
    check_requested(wanted, known, "these models")
    runs = [one.model.run_id for one in predictors]
    if len(set(runs)) != len(runs):
        raise RequestError(
            f"A run is named twice: {', '.join(runs)}.",
            why="The best of models is chosen among different runs.",
            fix="Name each run once.",
        )
    return [_choose(predictors, key) for key in wanted]


def _choose(predictors: Sequence[Predictor], key: str) -> Choice:
    rivals = [one for one in predictors if key in {p.key for p in one.model.properties}]
    columns = [column for (column,) in joint_columns(rivals, [key])]
    prop = rivals[0].model.properties[columns[0]]
    if len(rivals) == 1:
        return Choice(prop, rivals[0], {})
    labels, errors = zip(*map(_validation, rivals, columns), strict=True)
    _check_labels(key, rivals, labels)
    best = rivals[int(np.argmin(errors))]
    return Choice(prop, best, {one.model.run_id: error for one, error in zip(rivals, errors, strict=True)})


def _check_labels(key: str, rivals: Sequence[Predictor], labels: Sequence[NDArray[np.float64]]) -> None:
    """Check that models were validated on the same labels of a property, which tell its crystals."""
    for one, found in zip(rivals, labels, strict=True):
        if found.shape != labels[0].shape or not np.allclose(found, labels[0], rtol=1e-3, atol=1e-5):
            raise RequestError(
                f"These models cannot be compared for {key}.",
                why=f"Runs {rivals[0].model.run_id} and {one.model.run_id} were validated on different crystals.",
                fix="Name runs of the same data and split. With --max-samples, as at smoke and lite, runs of other "
                "properties have other crystals.",
            )
    if not len(labels[0]):
        raise RequestError(
            f"These models cannot be compared for {key}.",
            why="No validation crystal has a label of it.",
            fix="Name one model that was trained for it, or ask for other properties with --properties.",
        )


def _validation(predictor: Predictor, column: int) -> tuple[NDArray[np.float64], float]:
    """Return the validation labels of a property, in its unit or per atom, and the mean error of a model on them."""
    calibration = uncertainty_of(predictor).calibration.select([column])
    present = ~np.isnan(calibration.labels[:, 0])
    if not present.any():
        return np.empty(0), np.nan
    labels, predicted = calibration.labels[present], calibration.predicted[present]
    if calibration.scaler.properties[0].task == "binary":  # true or false, and probabilities
        truth = labels[:, 0].astype(np.float64)
        return truth, float(log_losses(truth, predicted[:, 0].astype(np.float64)).mean())
    one_atom = np.ones(labels.shape)
    truth = calibration.scaler.decode(labels, one_atom)[:, 0]
    return truth, float(np.abs(calibration.scaler.decode(predicted, one_atom)[:, 0] - truth).mean())


def predict_by_best(
    predictors: Sequence[Predictor],
    structures: Sequence[StructureLike],
    *,
    properties: Sequence[str] | None = None,
    levels: Sequence[float] = (),
    batch_size: int = 64,
    progress: ProgressCallback | None = None,
    reader: GraphReader | None = None,
) -> PredictionTable:
    """Predict each property of structures by the model that was least wrong about it on the validation crystals.

    A structure that one of the chosen models cannot predict has no prediction. Its novelty is the largest of those of
    the models, and intervals are those of the model of each property.

    Args:
        predictors: The models, trained for properties that may differ.
        structures: Paths of structure files, crystals, pymatgen structures or ASE atoms.
        properties: Keys of the requested properties; all that any of the models was trained for by default.
        levels: Levels of intervals to add; none by default.
        batch_size: Number of structures per batch.
        progress: Callback receiving the number of predictions done, and their number: structures times chosen models.
        reader: Reader of the structures; one with the default limits if None.

    Returns:
        The predictions, with a note for each property that says which model was chosen.

    Raises:
        UnknownNameError: No model was trained for a property.
        RequestError: A level is impossible, or the models cannot be compared: see :func:`choose_models`.
        ModelFileError: A model file without calibration has rivals, or is to give intervals.
    """
    levels = check_levels(levels)
    choices = choose_models(predictors, properties)
    calibrations = [joint_calibration([one.predictor], [one.property.key]) for one in choices] if levels else []
    used = list(dict.fromkeys(choice.predictor for choice in choices))
    tables = dict(
        zip(
            used,
            predict_by_each(used, structures, batch_size=batch_size, progress=progress, reader=reader),
            strict=True,
        )
    )
    columns = [_column(tables[choice.predictor], choice.property) for choice in choices]
    if levels:
        columns = [add_intervals(one, [one], known, levels) for one, known in zip(columns, calibrations, strict=True)]
    notes = (*(choice.sentence() for choice in choices), *dict.fromkeys(note for one in columns for note in one.notes))
    rows = tuple(_beside(rows) for rows in zip(*(one.rows for one in columns), strict=True))
    return PredictionTable(tuple(choice.property for choice in choices), rows, levels=levels, notes=notes)


def _column(table: PredictionTable, prop: Property) -> PredictionTable:
    """Return the predictions of one property of a single model."""
    k = [one.key for one in table.properties].index(prop.key)
    rows = tuple(
        replace(
            row,
            values=None if row.values is None else row.values[k : k + 1],
            difficulty=None if row.difficulty is None else row.difficulty[k : k + 1],
            factors=None if row.factors is None else row.factors[k : k + 1],
        )
        for row in table.rows
    )
    return PredictionTable((prop,), rows)


def _beside(rows: Sequence[PredictedStructure]) -> PredictedStructure:
    """Put the predictions of one structure side by side."""
    first = next((row for row in rows if row.values is None), rows[0])
    values = [row.values for row in rows if row.values is not None]
    if len(values) < len(rows):
        return PredictedStructure(first.file, first.formula, None, error=first.error, warning=joint_warning(rows, None))
    intervals = [row.intervals for row in rows if row.intervals is not None]
    novelties = [row.novelty for row in rows if row.novelty is not None]
    novelty = max(novelties) if len(novelties) == len(rows) else None
    return PredictedStructure(
        first.file,
        first.formula,
        np.concatenate(values),
        warning=joint_warning(rows, novelty),
        intervals=np.concatenate(intervals, axis=1) if len(intervals) == len(rows) else None,
        novelty=novelty,
    )
