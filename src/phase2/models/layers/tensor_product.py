"""Channelwise tensor products of features with spherical harmonics, summed over neighbours.

Features of degree l have the parity of the harmonics, (-1)^l, and are stored channels last: (N, 2l+1, C_l).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import torch
from e3nn import o3
from torch import Tensor, nn

from phase2.config.settings import Kernels
from phase2.data.batching import CrystalBatch
from phase2.models.layers.fused.layout import Route, SortedBonds
from phase2.models.layers.neighbor_sum import BlockPattern, neighbor_sum
from phase2.models.layers.segments import segment_mean, segment_sum


class Path(NamedTuple):
    """Path of a tensor product: features of degree l1 times harmonics of degree l2 give features of degree l3."""

    l1: int
    l2: int
    l3: int


def paths(highest_in: int, highest: int) -> list[Path]:
    """List the paths from features up to degree ``highest_in`` to results up to ``highest``, ordered by l1.

    The harmonics have degrees up to ``highest`` too. Results have parity (-1)^(l1 + l2), which must be the parity
    (-1)^l3 of features of degree l3.
    """
    degrees = range(highest + 1)
    return [
        Path(l1, l2, l3)
        for l1 in range(highest_in + 1)
        for l2 in degrees
        for l3 in degrees
        if abs(l1 - l2) <= l3 <= l1 + l2 and (l1 + l2 + l3) % 2 == 0
    ]


@dataclass(frozen=True, slots=True)
class BondGeometry:
    """Lengths and directions of the bonds, computed once per batch for all layers.

    Attributes:
        sender: Atom that sends the messages of each bond, (M,) int64.
        receiver: Atom that receives them, (M,) int64.
        distance: Length of each bond, (M,) float32, angstrom.
        matrices: Matrix of each bond for all paths, one behind the other, (M, B) float32.
        blocks: The same for each path, (M, 2 l1 + 1, 2 l3 + 1) float32; empty where the product is fused.
        patterns: Sparsity pattern of those blocks by (l1, l3).
        fused: The bonds as the fused product reads them; None where it is not used.
    """

    sender: Tensor
    receiver: Tensor
    distance: Tensor
    matrices: Tensor
    blocks: dict[Path, Tensor]
    patterns: dict[tuple[int, int], BlockPattern]
    fused: SortedBonds | None = None

    @classmethod
    def from_batch(cls, batch: CrystalBatch, highest: int, kernels: Kernels = "plain") -> BondGeometry:
        """Evaluate harmonics up to degree ``highest`` and contract them with Clebsch-Gordan coefficients.

        The edges of a bond have one sender and one length, and the product is linear in the harmonics: these
        are summed first, and the product is computed once per bond.

        Args:
            batch: The batch.
            highest: Highest degree of the harmonics.
            kernels: What computes the products; ``plain`` where the geometry needs a gradient.
        """
        vectors = edge_vectors(batch)
        n_bonds = len(batch.bond_sender)
        harmonics = o3.spherical_harmonics(list(range(highest + 1)), vectors, normalize=True, normalization="component")
        distance = segment_mean(vectors.norm(dim=1, keepdim=True), batch.edge_bond, n_bonds)[:, 0]
        contracted = segment_sum(harmonics, batch.edge_bond, n_bonds) @ _coefficients(highest).to(harmonics)
        if kernels == "triton" and not contracted.requires_grad:
            fused = SortedBonds.of(batch.bond_sender, batch.bond_receiver, len(batch.species))
            return cls(batch.bond_sender, batch.bond_receiver, distance, contracted.contiguous(), {}, {}, fused)
        every = paths(highest, highest)
        sizes = [(2 * path.l1 + 1, 2 * path.l3 + 1) for path in every]
        pieces = torch.split(contracted, [p * q for p, q in sizes], dim=1)
        blocks = {path: piece.reshape(-1, *size) for path, piece, size in zip(every, pieces, sizes, strict=True)}
        patterns = {
            ends: BlockPattern.from_receivers(batch.bond_receiver, len(batch.species), 2 * ends[0] + 1, 2 * ends[1] + 1)
            for ends in dict.fromkeys((path.l1, path.l3) for path in every)
        }
        return cls(batch.bond_sender, batch.bond_receiver, distance, contracted, blocks, patterns)


def edge_vectors(batch: CrystalBatch) -> Tensor:
    """Compute the vectors from the receiver to the sender's image, (E, 3) float32, angstrom."""
    receiver = batch.bond_receiver[batch.edge_bond]
    lattice = batch.lattice[batch.atom_crystal[receiver]]
    shift = (batch.edge_shift[:, None] @ lattice)[:, 0]
    return batch.positions[batch.bond_sender[batch.edge_bond]] + shift - batch.positions[receiver]


class TensorProduct(nn.Module):
    """Messages of NequIP (Batzner et al., Nat. Commun. 13, 2453, 2022, eq. 4-6), summed over neighbours.

    ``out_l3[i, k, c] = sum_j weight_c(d_ij) sum_m1,m2 CG[m1, m2, k] x_l1[j, m1, c] Y_l2[m2](ij)``, the results of all
    paths to l3 concatenated: equal to e3nn's ``TensorProduct`` with "uvu" paths per edge and a sum over edges. The
    coefficients are those of component normalisation.

    Args:
        channels: Channels of the senders' features by degree, C_0, C_1, ...
        highest: Highest degree of harmonics and results.
    """

    def __init__(self, channels: tuple[int, ...], highest: int) -> None:
        super().__init__()
        self.channels = channels
        self.paths = paths(len(channels) - 1, highest)
        self.weights = [channels[path.l1] for path in self.paths]
        self.highest = highest

    @property
    def n_weights(self) -> int:
        """Number of weights per bond, W: one for each path and channel."""
        return sum(self.weights)

    @property
    def channels_out(self) -> tuple[int, ...]:
        """Channels of the result by degree."""
        return tuple(
            sum(self.channels[path.l1] for path in self.paths if path.l3 == degree)
            for degree in range(self.highest + 1)
        )

    def forward(self, features: list[Tensor], weights: Tensor, bonds: BondGeometry) -> list[Tensor]:
        """Multiply the senders' features with the harmonics, and sum over the bonds of each receiver.

        Args:
            features: Features by degree, (N, 2l+1, C_l) float32.
            weights: Weights of the paths and channels, (M, W) float32.
            bonds: Geometry of the bonds.

        Returns:
            Features by degree, (N, 2l+1, channels_out[l]) float32.
        """
        if bonds.fused is not None:
            from phase2.models.layers.fused.product import fused_product

            return fused_product(features, weights, bonds.matrices, bonds.fused, self._routes())
        sent = [x.index_select(0, bonds.sender) for x in features]
        results: list[list[Tensor]] = [[] for _ in range(self.highest + 1)]
        for path, weight in zip(self.paths, torch.split(weights, self.weights, dim=1), strict=True):
            messages = sent[path.l1] * weight[:, None]
            results[path.l3].append(neighbor_sum(bonds.blocks[path], messages, bonds.patterns[path.l1, path.l3]))
        return [torch.cat(parts, dim=2) for parts in results]

    def _routes(self) -> tuple[Route, ...]:
        """Return where the parts of each path are in the rows of weights, blocks and results."""
        routes: list[Route] = []
        weight, block, out = 0, 0, [0] * (self.highest + 1)
        for path, channels in zip(self.paths, self.weights, strict=True):
            routes.append(Route(path.l1, path.l3, channels, weight, block, out[path.l3]))
            weight, block = weight + channels, block + (2 * path.l1 + 1) * (2 * path.l3 + 1)
            out[path.l3] += channels
        return tuple(routes)


@cache
def _coefficients(highest: int) -> Tensor:
    """Return the Clebsch-Gordan coefficients of all paths: a row per harmonic, a column per (m1, m3) of each path."""
    columns = []
    for path in paths(highest, highest):
        coupling = o3.wigner_3j(*path, dtype=torch.float64) * math.sqrt(2 * path.l3 + 1)
        block = torch.zeros((highest + 1) ** 2, (2 * path.l1 + 1) * (2 * path.l3 + 1), dtype=torch.float64)
        block[path.l2**2 : (path.l2 + 1) ** 2] = coupling.transpose(0, 1).flatten(1)
        columns.append(block)
    return torch.cat(columns, dim=1)
