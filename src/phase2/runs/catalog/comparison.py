"""Comparison of runs, property by property."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from phase2.runs.records.manifest import RunManifest
from phase2.runs.records.results import PropertyMetrics

_MEASURES = ("mae", "rmse", "r2")
_OF_BINARY = ("log_loss", "roc_auc", "accuracy", "f1", "baseline_log_loss")
_HIGHER_IS_BETTER = {"r2", "roc_auc", "accuracy", "f1"}
_PARTS: tuple[Literal["val", "test"], ...] = ("val", "test")


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One measure of one property in one part of the data, for several runs.

    Attributes:
        property: The property; empty for the score over all properties.
        unit: Unit of the values, empty for a number without one.
        part: ``val`` or ``test``.
        measure: ``score``; ``mae``, ``rmse``, ``r2`` or ``boosting mae`` (of gradient boosting on the data of the run);
            of a binary property ``log_loss``, ``roc_auc``, ``accuracy``, ``f1`` or ``baseline_log_loss``.
        values: One per run, None where the run has none.
    """

    property: str
    unit: str
    part: str
    measure: str
    values: tuple[float | None, ...]

    def labels(self) -> dict[str, str]:
        """Return what the values measure, and which are better."""
        return {
            "property": self.property,
            "unit": self.unit,
            "part": self.part,
            "measure": self.measure,
            "better": "higher" if self.measure in _HIGHER_IS_BETTER else "lower",
        }


def compare_runs(manifests: Sequence[RunManifest]) -> list[ComparisonRow]:
    """Compare the scores and errors of runs; properties come in order of first appearance.

    Properties of one key that runs define in different units, or as binary and not, do not compare: they have rows of
    their own.
    """
    rows = [ComparisonRow("", "", "val", "score", tuple(manifest.score for manifest in manifests))]
    kinds = dict.fromkeys(_kind(result) for manifest in manifests for result in (*manifest.val, *manifest.test))
    for kind in kinds:
        key, unit, is_binary = kind
        for part in _PARTS:
            found = [_result(manifest.val if part == "val" else manifest.test, kind) for manifest in manifests]
            for measure in _OF_BINARY if is_binary else _MEASURES:
                values = tuple(getattr(result, measure) if result else None for result in found)
                rows.append(ComparisonRow(key, "" if measure == "r2" else unit, part, measure, values))
            boosting = tuple(
                _boosting_error(manifest, key, part) if result else None
                for manifest, result in zip(manifests, found, strict=True)
            )
            if any(error is not None for error in boosting):
                rows.append(ComparisonRow(key, unit, part, "boosting mae", boosting))
    return rows


def _kind(result: PropertyMetrics) -> tuple[str, str, bool]:
    return result.key, result.unit, result.is_binary


def _boosting_error(manifest: RunManifest, key: str, part: Literal["val", "test"]) -> float | None:
    found = next((baseline for baseline in manifest.baselines if baseline.key == key), None)
    if found is None:
        return None
    return found.boosting_val_mae if part == "val" else found.boosting_test_mae


def _result(results: Sequence[PropertyMetrics], kind: tuple[str, str, bool]) -> PropertyMetrics | None:
    return next((result for result in results if _kind(result) == kind), None)
