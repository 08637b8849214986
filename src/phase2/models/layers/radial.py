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

    With ``elements``, the first hidden layer is multiplied by a function of the elements of both atoms, so that each
    pair of elements has radial functions of its own. The radial network of eSCN (Passaro & Zitnick, ICML 2023,
    arXiv:2302.03655) has both elements as inputs; a product lets the weights vanish at the cutoff all the same.

    Args:
        basis: Number of radial functions, R.
        hidden: Width of the two hidden layers.
        out: Weights per bond, W.
        elements: Channels of the embedding of the elements, C; None for the same functions for all elements.
    """

    def __init__(self, basis: int, hidden: int, out: int, *, elements: int | None = None) -> None:
        super().__init__()
        self.first = nn.Linear(basis, hidden, bias=False)
        self.second = nn.Linear(hidden, hidden, bias=False)
        self.last = nn.Linear(hidden, out, bias=False)
        for layer in (self.first, self.second, self.last):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)

        self.pairs = None if elements is None else ElementPairs(elements, hidden)

    def forward(self, basis: Tensor, elements: Tensor, sender: Tensor, receiver: Tensor) -> Tensor:
        """Compute the weights of the tensor products.

        Args:
            basis: Radial basis of each bond, (M, R) float32.
            elements: Embedding of the element of each atom, (N, C) float32.
            sender: Atom that sends the messages of each bond, (M,) int64.
            receiver: Atom that receives them, (M,) int64.

        Returns:
            (M, W) float32.
        """
        hidden = nn.functional.silu(self.first(basis)) * SILU_GAIN
        if self.pairs is not None:
            hidden = hidden * self.pairs(elements, sender, receiver)
        weights: Tensor = self.last(nn.functional.silu(self.second(hidden)) * SILU_GAIN)
        return weights


class ElementPairs(nn.Module):
    """Factors of a bond that depend on its elements: 1 + a(sender) b(receiver), with affine maps a and b.

    Args:
        elements: Channels of the embedding of the elements, C.
        factors: Factors per bond, H.
    """

    def __init__(self, elements: int, factors: int) -> None:
        super().__init__()
        self.sender = nn.Linear(elements, factors)
        self.receiver = nn.Linear(elements, factors)

    def forward(self, elements: Tensor, sender: Tensor, receiver: Tensor) -> Tensor:
        """Map embedded elements, (N, C), of the two atoms of each bond, (M,) int64 each, to factors, (M, H)."""
        sent, received = self.sender(elements), self.receiver(elements)
        factors: Tensor = 1 + sent.index_select(0, sender) * received.index_select(0, receiver)
        return factors


# SiLU of a standard normal number has a root mean square of 1/1.679.
SILU_GAIN = 1.679
