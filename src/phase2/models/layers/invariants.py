"""Invariants of the atoms' features, which the heads read."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from phase2.config.schema import EquivariantConfig


class InvariantReadout(nn.Module):
    """Scalars, norms and products of the features of atoms.

    The scalars and the norms of all other features of the last layer, or of every layer beside the embedding of the
    elements (jumping knowledge, Xu et al., ICML 2018). With ``second_order``, also inner products of two learned
    combinations of the features of each degree l > 0 of the last layer, which tell angles between them: the second
    order of the atomic cluster expansion (Drautz, Phys. Rev. B 99, 014104, 2019).

    With ``atom_hidden``, a layer on all of these for each atom is read beside them, so that the mean over a crystal is
    one of functions of single atoms too: the sum of atomic energies of interatomic potentials (Behler & Parrinello,
    Phys. Rev. Lett. 98, 146401, 2007).

    Args:
        config: Channels, layers and what is read.

    Attributes:
        channels: Number of invariants, C.
    """

    def __init__(self, config: EquivariantConfig) -> None:
        super().__init__()
        self.every_layer = config.readout_layers == "all"
        of_layer, before = sum(config.channels), config.channels[0]
        self.channels = before + config.layers * of_layer if self.every_layer else of_layer
        self.products = nn.ModuleList()
        if config.second_order:
            self.products.extend(InnerProducts(c, config.second_order) for c in config.channels[1:])
            self.channels += config.second_order * len(self.products)
        self.atom_hidden = None
        if config.atom_hidden:
            self.atom_hidden = nn.Linear(self.channels, config.atom_hidden)
            self.channels += config.atom_hidden

    def forward(self, states: list[list[Tensor]]) -> Tensor:
        """Compute the invariants, (N, C), of the features by layer and degree, (N, 2l+1, C_l)."""
        read = [invariants(features) for features in (states if self.every_layer else states[-1:])]
        read += [product(x) for product, x in zip(self.products, states[-1][1:], strict=False)]
        atoms = torch.cat(read, dim=1)
        return atoms if self.atom_hidden is None else torch.cat([atoms, silu(self.atom_hidden(atoms))], dim=1)


class InnerProducts(nn.Module):
    """Inner products over the components of pairs of learned combinations of a degree's channels.

    Args:
        channels: Channels of the degree, C_l.
        pairs: Number of products, K.
    """

    def __init__(self, channels: int, pairs: int) -> None:
        super().__init__()
        self.first = nn.Linear(channels, pairs, bias=False)
        self.second = nn.Linear(channels, pairs, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Multiply features, (N, 2l+1, C_l), to invariants, (N, K)."""
        products: Tensor = (self.first(features) * self.second(features)).mean(dim=1)
        return products


def invariants(features: list[Tensor]) -> Tensor:
    """Concatenate the scalars and the norms of all other features, (N, sum of C_l); smooth where a norm is zero."""
    lengths = [(x.square().mean(dim=1) + 1e-8).sqrt() for x in features[1:]]
    return torch.cat([features[0][:, 0], *lengths], dim=1)
