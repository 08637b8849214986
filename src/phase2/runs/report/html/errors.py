"""Errors of a run by property, beside those of the baselines, and which differences mean something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from phase2.properties import Property
from phase2.runs.records.predictions import PartPredictions
from phase2.runs.records.results import PropertyMetrics
from phase2.runs.report.html.inputs import RunInput
from phase2.runs.report.tables.metrics import MetricsRow, metrics_rows

Standing = Literal["better", "level", "worse"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One error as a bar.

    Attributes:
        name: Whose it is.
        kind: ``model``, ``boosting`` or ``median``.
        value: The error.
        percent: Its length, of the longest in the row.
    """

    name: str
    kind: str
    value: float
    percent: float


@dataclass(frozen=True, slots=True)
class PropertyErrors:
    """Errors of one property.

    Attributes:
        prop: The property.
        row: Its errors.
        margin: Half the width of the 95 % interval of the test MAE, from the scatter of the errors; None where the
            predictions are missing or fewer than two.
    """

    prop: Property
    row: MetricsRow
    margin: float | None

    @property
    def against_median(self) -> Standing | None:
        """Whether the test error differs from the median's by more than its margin; None without either."""
        return self._against(self.row.baseline_mae)

    @property
    def against_boosting(self) -> Standing | None:
        """The same of gradient boosting."""
        return self._against(self.row.boosting_test_mae)

    def bars(self) -> list[Bar]:
        """Return the test errors of the model and of the baselines."""
        found = (
            ("model", "model", self.row.test_mae),
            ("gradient boosting", "boosting", self.row.boosting_test_mae),
            ("median", "median", self.row.baseline_mae),
        )
        known = [(name, kind, value) for name, kind, value in found if value is not None]
        longest = max((value for _, _, value in known), default=0) or 1
        return [Bar(name, kind, value, round(100 * value / longest, 1)) for name, kind, value in known]

    def _against(self, other: float | None) -> Standing | None:
        mae = self.row.test_mae
        if mae is None or other is None:
            return None
        if abs(mae - other) <= (self.margin or 0):
            return "level"
        return "better" if mae < other else "worse"


def property_errors(run: RunInput) -> list[PropertyErrors]:
    """Return the errors of a run by property; none where it is not finished."""
    if run.manifest is None:
        return []
    rows = metrics_rows(run.manifest.val, run.manifest.test, run.manifest.baselines)
    margins = _margins(run.test)
    by_key = {prop.key: prop for prop in run.properties}
    return [PropertyErrors(by_key[row.key], row, margins.get(row.key)) for row in rows if row.key in by_key]


def binary_results(run: RunInput) -> list[tuple[Property, PropertyMetrics]]:
    """Return the binary properties with their errors on the test part, where that has labels of them."""
    by_key = {prop.key: prop for prop in run.properties}
    found = run.manifest.test if run.manifest else ()
    return [(by_key[one.key], one) for one in found if one.is_binary and one.log_loss is not None]


def median_errors(run: RunInput) -> dict[str, float]:
    """Return the test MAE of the median by property, where it is above zero."""
    results = run.manifest.test if run.manifest else ()
    return {result.key: result.baseline_mae for result in results if result.baseline_mae}


def titles(errors: Sequence[PropertyErrors]) -> str:
    """Join the names of properties as a sentence does."""
    return joined([one.prop.title.lower() for one in errors])


def joined(names: Sequence[str]) -> str:
    """Join names as a sentence does."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _margins(part: PartPredictions | None) -> dict[str, float]:
    if part is None:
        return {}
    found = {}
    for k, prop in enumerate(part.properties):
        reference, predicted = part.labelled(k)
        if len(reference) > 1:
            spread = float(np.abs(predicted - reference).std(ddof=1))
            found[prop.key] = 1.96 * spread / len(reference) ** 0.5
    return found
