"""Radial functions that vanish smoothly at the cutoff."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class RadialBasis(nn.Module):
    """Bessel functions times a polynomial envelope (Gasteiger et al. 2020, arXiv:2003.03123, eq. 7 and 8).

    sqrt(2/c) sin(n pi d/c) / d for n = 1 ... R, times an envelope that reaches 0 at d = c with two zero derivatives and
    stays 0 beyond.

    Args:
        n: Number of functions, R.
        cutoff: Cutoff radius c, angstrom.
        power: Power p of the envelope.
    """

    frequencies: Tensor

    def __init__(self, n: int, cutoff: float, power: int) -> None:
        super().__init__()
        self.cutoff = cutoff
        self.power = power
        self.register_buffer("frequencies", math.pi / cutoff * torch.arange(1, n + 1), persistent=False)

    def forward(self, distance: Tensor) -> Tensor:
        """Expand distances, (M,) float32, angstrom, to (M, R) float32."""
        waves = torch.sin(distance[:, None] * self.frequencies)
        amplitude = math.sqrt(2 / self.cutoff) * envelope(distance / self.cutoff, self.power) / distance
        return waves * amplitude[:, None]


def envelope(x: Tensor, power: int) -> Tensor:
    """Evaluate a polynomial that falls from 1 at x = 0 to 0 at x = 1, where its first two derivatives are 0 too.

    >>> envelope(torch.tensor([0.0, 0.5, 1.0, 2.0]), 6)
    tensor([1.0000, 0.8555, 0.0000, 0.0000])
    """
    p = power
    x = x.clamp(max=1.0)
    return 1 - x**p * ((p + 1) * (p + 2) / 2 - p * (p + 2) * x + p * (p + 1) / 2 * x**2)


class RadialNetwork(nn.Module):
    """Network that maps the radial basis to the weights of the tensor products.

    It has no biases, so that a bond's weights vanish with its radial basis at the cutoff.

    Args:
        basis: Number of radial functions, R.
        hidden: Width of the two hidden layers.
        out: Weights per bond, W.
    """

    def __init__(self, basis: int, hidden: int, out: int) -> None:
        super().__init__()
        self.first = nn.Linear(basis, hidden, bias=False)
        self.second = nn.Linear(hidden, hidden, bias=False)
        self.last = nn.Linear(hidden, out, bias=False)
        for layer in (self.first, self.second, self.last):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)

    def forward(self, basis: Tensor) -> Tensor:
        """Map the radial basis, (M, R) float32, to weights, (M, W) float32."""
        hidden = nn.functional.silu(self.second(nn.functional.silu(self.first(basis)) * SILU_GAIN)) * SILU_GAIN
        weights: Tensor = self.last(hidden)
        return weights


# SiLU of a standard normal number has a root mean square of 1/1.679.
SILU_GAIN = 1.679
