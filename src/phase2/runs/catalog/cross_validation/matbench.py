"""The runs of a cross-validation as records of matbench: predictions and scores by fold.

The schema is that of ``MatbenchTask.as_dict`` in matbench 0.6 (Dunn et al., npj Comput. Mater. 6, 138, 2020):
``results`` holds for each fold ``data`` (a prediction for each id), ``parameters`` and ``scores``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from phase2.runs.catalog.cross_validation.folds import fold_number
from phase2.runs.records.manifest import RunManifest
from phase2.runs.records.predictions import PartPredictions
from phase2.runs.records.results import THRESHOLD

BENCHMARK = "matbench_v0.1"


def matbench_task(name: str, key: str, folds: Sequence[tuple[RunManifest, PartPredictions]]) -> dict[str, Any]:
    """Return the record of one property.

    Args:
        name: Name of the task, ``matbench_mp_gap`` for one of matbench's own.
        key: The property.
        folds: The finished runs with their predictions for the test part, in the order of the folds.
    """
    return {
        "@module": "matbench.task",
        "@class": "MatbenchTask",
        "benchmark_name": BENCHMARK,
        "dataset_name": name,
        "results": {f"fold_{fold_number(manifest)}": _fold(key, manifest, part) for manifest, part in folds},
    }


def _fold(key: str, manifest: RunManifest, part: PartPredictions) -> dict[str, Any]:
    column = next((k for k, prop in enumerate(part.properties) if prop.key == key), None)
    if column is None:
        return {"data": {}, "parameters": {}, "scores": {}}
    labelled = np.isfinite(part.reference[:, column]) & np.isfinite(part.predicted[:, column])
    rows = np.flatnonzero(labelled)
    scores = _class_scores if part.properties[column].task == "binary" else _scores
    return {
        "data": {str(part.ids[row]): float(part.predicted[row, column]) for row in rows.tolist()},
        "parameters": {"run_id": manifest.run_id, "split": manifest.config.data.split_name},
        "scores": scores(part.reference[rows, column], part.predicted[rows, column]),
    }


def _scores(reference: np.ndarray, predicted: np.ndarray) -> Mapping[str, float]:
    """Return matbench's measures of a regression; none without labels."""
    if not len(reference):
        return {}
    apart = np.abs(predicted - reference)
    # Labels near zero are left out of the relative error, as matbench does.
    large = np.abs(reference) > 1e-5
    return {
        "mae": float(apart.mean()),
        "rmse": float(np.sqrt((apart**2).mean())),
        "mape": float((apart[large] / np.abs(reference[large])).mean()) if large.any() else 0.0,
        "max_error": float(apart.max()),
    }


def _class_scores(reference: np.ndarray, predicted: np.ndarray) -> Mapping[str, float]:
    """Return matbench's measures of a classification by probabilities; those that one class alone leaves are absent."""
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, roc_auc_score

    if not len(reference):
        return {}
    truth, chosen = reference.astype(int), (predicted >= THRESHOLD).astype(int)
    found = {"accuracy": float(accuracy_score(truth, chosen))}
    if truth.any():
        found["f1"] = float(f1_score(truth, chosen))
    if len(np.unique(truth)) == 2:
        found |= {
            "balanced_accuracy": float(balanced_accuracy_score(truth, chosen)),
            "rocauc": float(roc_auc_score(truth, predicted)),
        }
    return found
