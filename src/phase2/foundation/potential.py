"""What every pretrained potential offers, and the means and spreads that features of crystals are."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phase2.data.graphs.packed import PackedGraphs


class Potential(Protocol):
    """A pretrained potential as a fixed function from crystals to features.

    Attributes:
        digest: SHA-256 of the file with the weights, hexadecimal.
        elements: Atomic numbers that it knows.
        width: Number of features, F.
    """

    digest: str
    elements: frozenset[int]
    width: int

    def refusal(self, graphs: PackedGraphs, crystal: int) -> str:
        """Say why it cannot compute a crystal of known elements; "" where it can."""

    def features(self, graphs: PackedGraphs, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """Compute the features of some crystals of a store, none of which it refuses, (B, F) float32."""


def means_and_spreads(values: Tensor, crystal: Tensor, n: int) -> NDArray[np.float32]:
    """Compute means and standard deviations over the atoms of each crystal.

    Args:
        values: Values of the atoms, (N, I) float32.
        crystal: Crystal of each atom, (N,) int64.
        n: Number of crystals, B.

    Returns:
        Means, then standard deviations, (B, 2 I) float32.
    """
    counts = torch.bincount(crystal, minlength=n).float()[:, None]
    mean = _sums(values, crystal, n) / counts
    variance = _sums((values - mean[crystal]).square(), crystal, n) / counts
    found: NDArray[np.float32] = torch.cat([mean, variance.sqrt()], dim=1).cpu().numpy()
    return found


def _sums(values: Tensor, crystal: Tensor, n: int) -> Tensor:
    return values.new_zeros(n, values.shape[1]).index_add_(0, crystal, values)
