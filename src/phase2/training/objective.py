"""Masked loss of each property, over the labels that are present."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True, eq=False)
class PropertyLosses:
    """Losses of one batch.

    Attributes:
        values: Mean loss over the present labels of each property, (P,); 0 where a property has none.
        present: Which properties have a label in the batch, (P,) bool.
    """

    values: Tensor
    present: Tensor

    def mean(self) -> Tensor:
        """Average over the properties that have a label; 0 where none has."""
        return self.values.sum() / self.present.sum().clamp(min=1)

    def detach(self) -> PropertyLosses:
        """Detach from the graph of gradients."""
        return PropertyLosses(self.values.detach(), self.present)


def property_losses(predictions: Tensor, targets: Tensor, kind: Literal["huber", "l1"]) -> PropertyLosses:
    """Compute the loss of each property over its present labels; a missing label has no influence at all.

    Args:
        predictions: Normalised, (B, P).
        targets: Normalised, (B, P), NaN where missing.
        kind: ``huber`` (Huber, Ann. Math. Statist. 35, 73, 1964; quadratic up to one standard deviation) or ``l1``.
    """
    labelled = ~targets.isnan()
    # The difference is replaced, not the product masked: NaN * 0 would be NaN, in the gradient too.
    difference = torch.where(labelled, predictions - torch.where(labelled, targets, 0), 0)
    counts = labelled.sum(dim=0)
    totals = _elementwise(difference, kind).sum(dim=0)
    return PropertyLosses(totals / counts.clamp(min=1), counts > 0)


def _elementwise(difference: Tensor, kind: Literal["huber", "l1"]) -> Tensor:
    if kind == "l1":
        return difference.abs()
    return functional.huber_loss(difference, torch.zeros_like(difference), reduction="none", delta=1.0)
