"""The errors of a model on labelled data that ``Model.evaluate`` returns."""

from __future__ import annotations

from pathlib import Path

from phase2.api.results.table import Cell, Table
from phase2.evaluation.evaluate import Evaluated
from phase2.evaluation.result import EvaluatedGroup, EvaluationResult, Number
from phase2.prediction.table import check_output
from phase2.runs.records.predictions import PartPredictions, write_predictions


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
        """Return the headings; the unit of each row has a column of its own.

        Those of binary properties are there where a property is binary.
        """
        head = ["property", "unit", "kind", "group", "labels", *_with_ends("MAE", "RMSE", "R2")]
        baselines = ["median baseline MAE", "gradient boosting MAE"]
        return [*head, *baselines, *(_BINARY if self._has_binary else ())]

    def records(self) -> list[list[Cell]]:
        """Return the cells of each row."""
        found: list[list[Cell]] = [
            [
                *(row.property, row.unit, row.kind, row.group, row.labels),
                *_cells(row.mae, row.rmse, row.r2),
                *(row.median_mae, row.boosting_mae),
                *_cells(row.log_loss, row.roc_auc, row.accuracy, row.f1),
                *(row.baseline_log_loss, row.baseline_accuracy),
            ]
            for row in self.rows
        ]
        return found if self._has_binary else [cells[: -len(_BINARY)] for cells in found]

    @property
    def _has_binary(self) -> bool:
        return any(row.is_binary() for row in self.rows)

    def write_predictions(self, path: str | Path) -> None:
        """Write predictions beside labels, with ids, as CSV.

        Raises:
            RequestError: The suffix is another one, or the file cannot be written.
        """
        check_output(Path(path), (".csv",))
        write_predictions(Path(path), self.predictions)


def _with_ends(*names: str) -> list[str]:
    return [f"{name}{end}" for name in names for end in ("", " low", " high")]


def _cells(*numbers: Number | None) -> list[Cell]:
    ends = ("value", "low", "high")
    return [None if one is None else getattr(one, end) for one in numbers for end in ends]


_BINARY = (*_with_ends("log loss", "ROC AUC", "accuracy", "F1"), "baseline log loss", "baseline accuracy")
