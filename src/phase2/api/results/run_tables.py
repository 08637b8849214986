"""The numbers of a run as tables: errors, history, predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from phase2.api.results.table import Cell, Table
from phase2.errors import ModelFileError
from phase2.output.csv_text import read_csv
from phase2.properties import error_unit
from phase2.runs.records.history import EpochRow, read_history
from phase2.runs.records.manifest import RunManifest
from phase2.runs.records.results import PropertyMetrics


@dataclass(frozen=True, slots=True)
class Metric:
    """Errors of one property in one part of the data; None where there is no number.

    Attributes:
        property: The property.
        unit: Unit of ``mae``, ``rmse`` and ``baseline_mae``; empty for a number without one.
        part: ``val`` or ``test``.
        labels: Labels compared.
        mae: Mean absolute error.
        rmse: Root of the mean squared error.
        r2: Share of the labels' variance that is explained.
        baseline_mae: Mean absolute error of predicting the median of the training labels.
        ratio: ``mae`` / ``baseline_mae``: below 1 the model is better than the median.
        boosting_mae: Mean absolute error of gradient boosting, where it was fitted.
        log_loss: Log loss of a binary property; ``ratio`` is that of log losses then.
        baseline_log_loss: Log loss of predicting the share of true training labels.
        roc_auc: Area under the receiver operating characteristic.
        accuracy: Share of crystals on the right side of a probability of 0.5.
        f1: Harmonic mean of precision and recall of the true ones.
    """

    property: str
    unit: str
    part: str
    labels: int
    mae: float | None
    rmse: float | None
    r2: float | None
    baseline_mae: float | None
    ratio: float | None
    boosting_mae: float | None = None
    log_loss: float | None = None
    baseline_log_loss: float | None = None
    roc_auc: float | None = None
    accuracy: float | None = None
    f1: float | None = None

    @classmethod
    def of(cls, result: PropertyMetrics, part: str, boosting_mae: float | None = None) -> Metric:
        """Take over a result of a part."""
        numbers = (result.mae, result.rmse, result.r2, result.baseline_mae, result.ratio, boosting_mae)
        binary = (result.log_loss, result.baseline_log_loss, result.roc_auc, result.accuracy, result.f1)
        return cls(result.key, result.unit, part, result.count, *numbers, *binary)


class Metrics(Table[Metric]):
    """Errors on validation and test crystals, by property, beside those of the baselines.

    Args:
        manifest: Manifest of the run.
    """

    def __init__(self, manifest: RunManifest) -> None:
        val = {baseline.key: baseline.boosting_val_mae for baseline in manifest.baselines}
        test = {baseline.key: baseline.boosting_test_mae for baseline in manifest.baselines}
        parts = (("val", manifest.val, val), ("test", manifest.test, test))
        self._rows = tuple(
            Metric.of(result, part, boosting.get(result.key)) for part, results, boosting in parts for result in results
        )

    @property
    def rows(self) -> tuple[Metric, ...]:
        """The validation part, then the test part."""
        return self._rows

    def columns(self) -> list[str]:
        """Return the headings; the unit of each row has a column of its own."""
        numbers = ["MAE", "RMSE", "R2", "median baseline MAE", "MAE / baseline", "gradient boosting MAE"]
        return ["property", "unit", "part", "labels", *numbers, *(_BINARY if self._has_binary else ())]

    def records(self) -> list[list[Cell]]:
        """Return the cells of each row; those of binary properties are there where a property is binary."""
        return [list(astuple(row))[: None if self._has_binary else -len(_BINARY)] for row in self.rows]

    @property
    def _has_binary(self) -> bool:
        return any(row.log_loss is not None for row in self.rows)


_BINARY = ("log loss", "baseline log loss", "ROC AUC", "accuracy", "F1")


def _error_heading(key: str, unit: str) -> str:
    """Return the heading of a validation error: ``val MAE of band_gap [eV]``, or ``val log loss of metal``."""
    if unit == "log loss":
        return f"val {unit} of {key}"
    return f"val MAE of {key}" + (f" [{unit}]" if unit else "")


class History(Table[EpochRow]):
    """What each epoch of a training did.

    Args:
        rows: One per epoch.
    """

    def __init__(self, rows: Sequence[EpochRow]) -> None:
        self._rows = tuple(rows)

    @classmethod
    def read(cls, path: Path) -> History:
        """Read ``history.json``.

        Raises:
            ModelFileError: It is missing or damaged.
        """
        return cls(read_history(path))

    @property
    def rows(self) -> tuple[EpochRow, ...]:
        """One per epoch."""
        return self._rows

    def columns(self) -> list[str]:
        """Return the headings: rates, losses, the score, and the validation MAE of each property with its unit."""
        units = self.rows[0].own_units if self.rows else {}
        errors = [_error_heading(key, error_unit(key, units)) for key in self._keys()]
        head = ["epoch", "step", "lr", "train loss", "val loss", "val score"]
        return [*head, *errors, "duration [s]", "structures/s", "data wait"]

    def records(self) -> list[list[Cell]]:
        """Return the cells of each epoch."""
        return [
            [
                *(row.epoch, row.step, row.lr, row.train_loss, row.val_loss, row.val_score),
                *(row.val_errors.get(key) for key in self._keys()),
                *(row.seconds, row.structures_per_second, row.data_wait),
            ]
            for row in self.rows
        ]

    def _keys(self) -> list[str]:
        return list(dict.fromkeys(key for row in self.rows for key in row.val_errors))


@dataclass(frozen=True, slots=True)
class CrystalPrediction:
    """Labels and predictions of one crystal of a part.

    Attributes:
        id: Id of the crystal.
        formula: Its formula.
        reference: Labels by property, in its unit; None where missing.
        predicted: Predictions by property, in its unit.
    """

    id: str
    formula: str
    reference: dict[str, float | None]
    predicted: dict[str, float | None]


class PartTable(Table[CrystalPrediction]):
    """Labels and predictions of the crystals of a part of the data, from the CSV of a run.

    Args:
        path: ``predictions_test.csv`` or ``predictions_val.csv``.
        keys: Properties in the order of the columns.

    Raises:
        ModelFileError: The file is missing or damaged.
    """

    def __init__(self, path: Path, keys: Sequence[str]) -> None:
        self._columns, self._cells = _read_csv(path, 2 + 2 * len(keys))
        self._keys = tuple(keys)

    @property
    def rows(self) -> tuple[CrystalPrediction, ...]:
        """One per crystal."""
        return tuple(
            CrystalPrediction(
                name, formula, dict(zip(self._keys, numbers[::2], strict=True)),
                dict(zip(self._keys, numbers[1::2], strict=True)),
            )
            for name, formula, numbers in self._cells
        )  # fmt: skip

    def columns(self) -> list[str]:
        """Return the headings: id, formula, then reference and prediction of each property, with its unit."""
        return list(self._columns)

    def records(self) -> list[list[Cell]]:
        """Return the cells of each crystal."""
        return [[name, formula, *numbers] for name, formula, numbers in self._cells]


def _read_csv(path: Path, width: int) -> tuple[list[str], list[tuple[str, str, list[float | None]]]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            head, *rows = read_csv(file)
        cells = [(row[0], row[1], [float(field) if field else None for field in row[2:]]) for row in rows]
    except (OSError, ValueError, IndexError) as error:
        raise ModelFileError(
            f"{path} cannot be read.", why=f"{error}.", fix="Check the run with 'phase2 runs verify'."
        ) from error
    if any(len(row) != width for row in (head, *rows)):
        raise ModelFileError(
            f"{path} is damaged.", why=f"Not every line has {width} fields.", fix="Pull the run again."
        )
    return head, cells
