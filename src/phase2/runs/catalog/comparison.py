"""Comparison of runs, property by property."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from phase2.runs.manifest import RunManifest
from phase2.runs.results import PropertyMetrics

_MEASURES = ("mae", "rmse", "r2")
_OF_BINARY = ("log_loss", "roc_auc", "accuracy", "f1", "baseline_log_loss")
_PARTS: tuple[Literal["val", "test"], ...] = ("val", "test")


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One measure of one property in one part of the data, for several runs.

    Attributes:
        property: The property; empty for the score over all properties.
        unit: Unit of the values, empty for a number without one.
        part: ``val`` or ``test``.
        measure: ``mae``, ``rmse``, ``r2``, ``boosting mae`` (of gradient boosting on the data of the run) or ``score``.
        values: One per run, None where the run has none.
    """

    property: str
    unit: str
    part: str
    measure: str
    values: tuple[float | None, ...]

    def labels(self) -> dict[str, str]:
        """Return what the values measure."""
        return {"property": self.property, "unit": self.unit, "part": self.part, "measure": self.measure}


def compare_runs(manifests: Sequence[RunManifest]) -> list[ComparisonRow]:
    """Compare the scores and errors of runs; properties come in order of first appearance."""
    rows = [ComparisonRow("", "", "val", "score", tuple(manifest.score for manifest in manifests))]
    keys = dict.fromkeys(result.key for manifest in manifests for result in (*manifest.val, *manifest.test))
    for key in keys:
        for part in _PARTS:
            found = [_result(manifest.val if part == "val" else manifest.test, key) for manifest in manifests]
            unit = next((result.unit for result in found if result), "")
            is_binary = any(result.is_binary for result in found if result)
            for measure in _OF_BINARY if is_binary else _MEASURES:
                values = tuple(getattr(result, measure) if result else None for result in found)
                rows.append(ComparisonRow(key, "" if measure == "r2" else unit, part, measure, values))
            boosting = tuple(_boosting_error(manifest, key, part) for manifest in manifests)
            if any(error is not None for error in boosting):
                rows.append(ComparisonRow(key, unit, part, "boosting mae", boosting))
    return rows


def _boosting_error(manifest: RunManifest, key: str, part: Literal["val", "test"]) -> float | None:
    found = next((baseline for baseline in manifest.baselines if baseline.key == key), None)
    if found is None:
        return None
    return found.boosting_val_mae if part == "val" else found.boosting_test_mae


def _result(results: Sequence[PropertyMetrics], key: str) -> PropertyMetrics | None:
    return next((result for result in results if result.key == key), None)
