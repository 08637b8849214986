"""Errors of predicted probabilities, compared with predicting the share of true labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phase2.properties import Property
from phase2.runs.records.results import THRESHOLD, PropertyMetrics


def evaluate_binary(
    prop: Property, predicted: NDArray[np.float64], labels: NDArray[np.float64], prior: NDArray[np.float64]
) -> PropertyMetrics:
    """Compute the errors of the probabilities of one property.

    Args:
        prop: The property.
        predicted: Probabilities, (B,).
        labels: 1 and 0, (B,), NaN where missing.
        prior: Share of true ones among the training labels, (B,), the same for all.
    """
    from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

    labelled = ~np.isnan(labels)
    truth, chance = labels[labelled].astype(int), predicted[labelled]
    if not len(truth):
        return PropertyMetrics.from_probabilities(prop.key, 0)
    both = len(np.unique(truth)) == 2
    share, chosen = float(prior[0]), (chance >= THRESHOLD).astype(int)
    return PropertyMetrics.from_probabilities(
        prop.key,
        len(truth),
        log_loss=float(log_loss(truth, chance, labels=[0, 1])),
        # A prior of 0 or 1 would be infinitely wrong about the first crystal of the other kind.
        baseline_log_loss=float(log_loss(truth, prior[labelled], labels=[0, 1])) if 0 < share < 1 else None,
        roc_auc=float(roc_auc_score(truth, chance)) if both else None,
        accuracy=float(accuracy_score(truth, chosen)),
        baseline_accuracy=float(np.mean(truth == (share >= THRESHOLD))),
        f1=float(f1_score(truth, chosen)) if truth.any() else None,
    )
