"""The errors of a model on labelled data that ``Model.evaluate`` returns."""

from __future__ import annotations

from pathlib import Path

from phase2.api.table import Cell, Table
from phase2.evaluation.evaluate import Evaluated
from phase2.evaluation.result import EvaluatedGroup, EvaluationResult
from phase2.prediction.table import check_output
from phase2.runs.predictions import PartPredictions, write_predictions


class Evaluation(Table[EvaluatedGroup]):
    """Errors by property and by kind of crystal, with bootstrap intervals, beside those of baselines.

    Rows of kind ``all`` are over all crystals; those of kind ``element``, ``system``, ``spacegroup``, ``size`` and
    ``training`` over groups of them, the last by whether the model was trained on the same structure.

    Args:
        evaluated: What was measured.
    """

    def __init__(self, evaluated: Evaluated) -> None:
        self._evaluated = evaluated

    @property
    def rows(self) -> tuple[EvaluatedGroup, ...]:
        """One per property and group; the unit of each row is in a field of its own."""
        return self.result.groups

    @property
    def result(self) -> EvaluationResult:
        """Everything that ``phase2 evaluate --format json`` prints."""
        return self._evaluated.result

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the numbers should know."""
        return self.result.notes

    @property
    def predictions(self) -> PartPredictions:
        """Predictions beside labels, with ids."""
        return self._evaluated.predictions

    def of_kind(self, kind: str) -> Evaluation:
        """Return the rows of one kind of groups: ``all``, ``element``, ``system``, ..."""
        chosen = self.result.model_copy(update={"groups": tuple(self.result.of_kind(kind))})
        return Evaluation(Evaluated(chosen, self.predictions))

    def columns(self) -> list[str]:
        """Return the headings; the unit of each row has a column of its own."""
        numbers = [f"{name}{end}" for name in ("MAE", "RMSE", "R2") for end in ("", " low", " high")]
        return ["property", "unit", "kind", "group", "labels", *numbers, "median baseline MAE", "gradient boosting MAE"]

    def records(self) -> list[list[Cell]]:
        """Return the cells of each row."""
        return [
            [
                *(row.property, row.unit, row.kind, row.group, row.labels),
                *(value for one in (row.mae, row.rmse, row.r2) for value in (one.value, one.low, one.high)),
                *(row.median_mae, row.boosting_mae),
            ]
            for row in self.rows
        ]

    def write_predictions(self, path: str | Path) -> None:
        """Write predictions beside labels, with ids, as CSV.

        Raises:
            RequestError: The suffix is another one, or the file cannot be written.
        """
        check_output(Path(path), (".csv",))
        write_predictions(Path(path), self.predictions)
