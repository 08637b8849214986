"""The best of several models for each property, by what they were wrong by on the validation crystals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from phase2.errors import RequestError
from phase2.prediction.agreement import check_learned_alike, joint_columns
from phase2.prediction.intervals import add_intervals, check_levels, joint_calibration, uncertainty_of
from phase2.prediction.predicting import joint_warning, novelties, predict_by_each, unpredicted
from phase2.prediction.predictor import Predictor
from phase2.prediction.reading.graph_reader import GraphReader
from phase2.prediction.requested import check_requested
from phase2.prediction.table import PredictedStructure, PredictionTable
from phase2.properties import Property
from phase2.storage.progress import ProgressCallback
from phase2.uncertainty.calibration import Calibration
from phase2.uncertainty.log_loss import log_losses

if TYPE_CHECKING:
    from phase2.prediction.reading.inputs import StructureLike


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The model that predicts a property.

    Attributes:
        property: The property.
        predictor: The model.
        errors: Validation errors of all models that were trained for it, by run: in the property's unit, and log losses
            of a binary one. Empty where there was nothing to choose.
        per_atom: Whether the errors are per atom, as those of densities and of values per cell are where a model is of
            an earlier version.
    """

    property: Property
    predictor: Predictor
    errors: dict[str, float]
    per_atom: bool = False

    def sentence(self) -> str:
        """Return which model was chosen, and the validation errors of all, on one line."""
        chosen = self.predictor.model.run_id
        if not self.errors:
            return f"{self.property.key}: run {chosen}, the only one that was trained for it"
        others = "".join(f"; run {run}: {error:.3g}" for run, error in self.errors.items() if run != chosen)
        error = f"{self.errors[chosen]:.3g}"
        if self.property.task == "binary":
            return f"{self.property.key}: run {chosen} (validation log loss {error}{others})"
        per_atom = " per atom" if self.per_atom else ""
        unit = f" {self.property.unit}".rstrip()
        return f"{self.property.key}: run {chosen} (validation MAE{per_atom} {error}{unit}{others})"


def properties_of_any(predictors: Sequence[Predictor]) -> tuple[Property, ...]:
    """Return the properties that any of several models was trained for, as the first of them defines each."""
    found: dict[str, Property] = {}
    for predictor in predictors:
        for prop in predictor.model.properties:
            found.setdefault(prop.key, prop)
    return tuple(found.values())


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
    known = [prop.key for prop in properties_of_any(predictors)]
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
    known = [uncertainty_of(one).calibration.select([k]) for one, k in zip(rivals, columns, strict=True)]
    per_atom = any(one.lacks_factors for one in known)
    if per_atom:
        check_learned_alike(rivals, [key], action="compared", fix="Name models of the present version.")
        known = [replace(one, factors=None) for one in known]
    labels, errors = zip(*map(_validation, known), strict=True)
    _check_labels(key, rivals, labels)
    best = rivals[int(np.argmin(errors))]
    by_run = {one.model.run_id: error for one, error in zip(rivals, errors, strict=True)}
    return Choice(prop, best, by_run, per_atom=per_atom)


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


def _validation(calibration: Calibration) -> tuple[NDArray[np.float64], float]:
    """Return the validation labels of one property, and the mean error of a model on them."""
    labels, predicted = calibration.labels[:, 0], calibration.predicted[:, 0]
    present = ~np.isnan(labels)
    if not present.any():
        return np.empty(0), np.nan
    if calibration.scaler.properties[0].task == "binary":  # true or false, and probabilities
        truth = labels[present].astype(np.float64)
        return truth, float(log_losses(truth, predicted[present].astype(np.float64)).mean())
    truth = calibration.decode(calibration.labels)[present, 0]
    return truth, float(np.abs(calibration.decode(calibration.predicted)[present, 0] - truth).mean())


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
    of_models: dict[Predictor, list[str]] = {}
    for choice in choices:
        of_models.setdefault(choice.predictor, []).append(choice.property.key)
    calibrations = [joint_calibration([one], keys) for one, keys in of_models.items()] if levels else []
    columns = [one.output_columns(keys) for one, keys in of_models.items()]
    tables = predict_by_each(
        list(of_models), columns, structures, batch_size=batch_size, progress=progress, reader=reader
    )
    if levels:
        tables = [add_intervals(one, [one], known, levels) for one, known in zip(tables, calibrations, strict=True)]
    keys = [prop.key for table in tables for prop in table.properties]
    order = [keys.index(choice.property.key) for choice in choices]
    rows = tuple(_beside(rows, order) for rows in zip(*(table.rows for table in tables), strict=True))
    notes = (*(choice.sentence() for choice in choices), *(note for table in tables for note in table.notes))
    return PredictionTable(tuple(choice.property for choice in choices), rows, levels=levels, notes=notes)


def _beside(rows: Sequence[PredictedStructure], order: Sequence[int]) -> PredictedStructure:
    """Put the predictions of one structure side by side, and then in another order."""
    if (failed := unpredicted(rows)) is not None:
        return failed
    values = np.concatenate([row.values for row in rows if row.values is not None])
    intervals = [row.intervals for row in rows if row.intervals is not None]
    novelty = max(novelties(rows), default=None)
    return PredictedStructure(
        rows[0].file,
        rows[0].formula,
        values[order],
        warning=joint_warning(rows, novelty),
        intervals=np.concatenate(intervals, axis=1)[:, order] if intervals else None,
        novelty=novelty,
    )
