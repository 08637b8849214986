"""Masked loss of each property, over the labels that are present."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from phase2.properties import Property

LossKind = Literal["huber", "l1"]


@dataclass(frozen=True, slots=True, eq=False)
class PropertyLosses:
    """Losses of one batch.

    Attributes:
        values: Loss of each property, (P,); 0 where a property has no label in the batch.
        present: Which properties have a label in the batch, (P,) bool.
        weight: Weight of each property before balancing, (P,).
        share: Labels of each property relative to those that its loss is divided by, (P,).
    """

    values: Tensor
    present: Tensor
    weight: Tensor
    share: Tensor

    def mean(self) -> Tensor:
        """Return the weighted sum of the losses; 0 where no property has a label."""
        return (self.weight * self.values).sum()

    def detach(self) -> PropertyLosses:
        """Detach from the graph of gradients."""
        return replace(self, values=self.values.detach())


@dataclass(frozen=True, slots=True, eq=False)
class LabelWeights:
    """Constant weights of the labels of each property.

    A property's loss is the sum over its labels in the batch, divided by the number that a batch has on average. Every
    label has the same weight in every batch, whatever else is in it; a mean over the labels of the batch would give a
    label that is alone in its batch the weight of ten that come together.

    Attributes:
        expected: Labels of each property in a batch, on average over the training part, (P,).
        weight: Weight of each property, (P,); their sum is 1.
    """

    expected: Tensor
    weight: Tensor

    @classmethod
    def from_labels(cls, labels: Tensor, batches: int, exponent: float) -> LabelWeights:
        """Weigh the properties by their numbers of labels.

        Args:
            labels: Labels of the training part, (B, P), NaN where missing.
            batches: Batches per epoch.
            exponent: Power of the number of labels: 0 weighs all properties alike, 1 all labels.
        """
        counts = (~labels.isnan()).sum(dim=0).to(torch.float32)
        weight = torch.where(counts > 0, counts.pow(exponent), 0)
        return cls(counts / batches, weight / weight.sum())

    def to(self, device: torch.device) -> LabelWeights:
        """Move to a device."""
        return LabelWeights(self.expected.to(device), self.weight.to(device))


def binary_columns(properties: Sequence[Property]) -> Tensor | None:
    """Return which properties are binary, (P,) bool; None where none is."""
    found = [prop.task == "binary" for prop in properties]
    return torch.tensor(found) if any(found) else None


def property_losses(
    predictions: Tensor,
    targets: Tensor,
    kind: LossKind,
    weights: LabelWeights | None = None,
    binary: Tensor | None = None,
    total: Callable[[Tensor], Tensor] | None = None,
) -> PropertyLosses:
    """Compute the loss of each property over its present labels; a missing label has no influence at all.

    Args:
        predictions: Normalised, (B, P); logits of binary properties.
        targets: Normalised, (B, P), NaN where missing.
        kind: ``huber`` (Huber, Ann. Math. Statist. 35, 73, 1964; quadratic up to one standard deviation) or ``l1``.
        weights: Constant weights; by default each loss is the mean over the labels of the batch, and the properties
            that have one share the weight equally.
        binary: Which properties are binary, (P,) bool: their loss is the cross-entropy; None where none is.
        total: Sums the losses and the numbers of labels over the processes that share the batch, so that means are
            over the whole batch; None where one process has all of it.
    """
    labelled = ~targets.isnan()
    # The difference is replaced, not the product masked: NaN * 0 would be NaN, in the gradient too.
    difference = torch.where(labelled, predictions - torch.where(labelled, targets, 0), 0)
    counts = labelled.sum(dim=0)
    losses = _elementwise(difference, kind)
    if binary is not None:
        # A missing label gets a constant in place of the prediction, so that no gradient reaches that.
        logits = torch.where(labelled, predictions, 0)
        entropy = functional.binary_cross_entropy_with_logits(
            logits, torch.where(labelled & binary, targets, 0), reduction="none"
        )
        losses = torch.where(binary, torch.where(labelled, entropy, 0), losses)
    totals = losses.sum(dim=0)
    if total is not None:
        totals, counts = total(torch.stack([totals, counts.to(totals.dtype)]))
    present = counts > 0
    if weights is None:
        equal = present / present.sum().clamp(min=1)
        return PropertyLosses(totals / counts.clamp(min=1), present, equal, present.to(totals.dtype))
    expected = torch.where(weights.expected > 0, weights.expected, 1)
    return PropertyLosses(totals / expected, present, weights.weight, counts / expected)


def _elementwise(difference: Tensor, kind: LossKind) -> Tensor:
    if kind == "l1":
        return difference.abs()
    return functional.huber_loss(difference, torch.zeros_like(difference), reduction="none", delta=1.0)
