"""Crystal graph convolutional network on the quotient graph."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from phase2.config.schema import CgcnnConfig
from phase2.config.settings import Kernels
from phase2.data.batching import Batch, QuotientBatch
from phase2.models.base import CrystalModel
from phase2.models.elements import ElementFeatures
from phase2.models.heads import PropertyHeads
from phase2.models.layers.gated_sum import Links, Statistics, gated_sum
from phase2.models.layers.segments import segment_mean
from phase2.models.layers.weighted_norm import WeightedBatchNorm


class Cgcnn(CrystalModel):
    """CGCNN (Xie & Grossman, Phys. Rev. Lett. 120, 145301, 2018) with one head per property.

    One node stands for all equivalent atoms of a crystal and one link for all their equal edges. Weighting with their
    numbers makes every output, gradient and running statistic equal to that of the network on the full graph.

    Args:
        config: Hyperparameters.
        n_properties: Number of properties, P.
        cutoff: Cutoff radius, angstrom.
    """

    view: Literal["quotient"] = "quotient"
    implementations: ClassVar[tuple[Kernels, ...]] = ("plain", "triton")

    def __init__(self, config: CgcnnConfig, n_properties: int, cutoff: float) -> None:
        super().__init__()
        self.elements = ElementFeatures(config.width)
        self.expansion = GaussianExpansion(config.gaussians, cutoff)
        self.convolutions = nn.ModuleList(
            GatedConvolution(config.width, config.gaussians) for _ in range(config.convolutions)
        )
        self.heads = PropertyHeads(config.width, config.trunk, n_properties)

    def embed(self, batch: Batch) -> Tensor:
        """Compute the mean over the atoms of their features, (B, C) float32."""
        assert isinstance(batch, QuotientBatch)  # noqa: S101 - implied by view
        nodes = self.elements(batch.species)
        lengths = self.expansion(batch.distance)
        links = Links.from_batch(batch, across=self.training, kernels=self.kernels)
        for convolution in self.convolutions:
            nodes = convolution(nodes, lengths, links, batch.weight)
        return segment_mean(nodes, batch.node_crystal, batch.n_crystals, batch.weight)


class GatedConvolution(nn.Module):
    """Convolution of eq. 5: v_i + sum over edges of sigmoid(W_f z) * softplus(W_s z) with z = (v_i, v_j, u_ij).

    W z = W_receiver v_i + W_sender v_j + W_length u_ij, so that the first two products are computed once per node
    instead of once per edge. Batch norm follows W z and the sum, as in the authors' code.

    Args:
        width: Channels per node, C.
        gaussians: Gaussians per link, G.
    """

    def __init__(self, width: int, gaussians: int) -> None:
        super().__init__()
        self.ends = nn.Linear(width, 4 * width, bias=False)  # batch norm cancels any bias
        self.length = nn.Linear(gaussians, 2 * width, bias=False)
        self.gate_norm = WeightedBatchNorm(2 * width)
        self.sum_norm = WeightedBatchNorm(width)

    def forward(self, nodes: Tensor, lengths: Tensor, links: Links, weight: Tensor) -> Tensor:
        """Update the features of the nodes.

        Args:
            nodes: Features of the nodes, (N, C) float32.
            lengths: Expanded distances, (L, G) float32.
            links: Links of the batch.
            weight: Number of atoms that each node stands for, (N,) float32.

        Returns:
            Updated features of the nodes, (N, C) float32.
        """
        norm = self.gate_norm
        known = Statistics(norm.running_mean, norm.running_var) if not self.training else None
        terms = self.ends(nodes).to(lengths.dtype)
        with torch.autocast(nodes.device.type, enabled=False):  # statistics need more digits than bf16 has
            summed, used = gated_sum(terms, lengths, self.length.weight, norm.weight, norm.bias, links, known, norm.eps)
        if known is None:
            norm.update_running_statistics(used.mean, used.variance, links.edges)
        return functional.softplus(nodes + self.sum_norm(summed, weight))


class GaussianExpansion(nn.Module):
    """Expansion of distances in Gaussians, centred at even steps from 0 to the cutoff, one step wide.

    Args:
        n: Number of Gaussians, G.
        cutoff: Centre of the last one, angstrom.
    """

    centers: Tensor

    def __init__(self, n: int, cutoff: float) -> None:
        super().__init__()
        self.register_buffer("centers", torch.linspace(0, cutoff, n), persistent=False)
        self.sharpness = ((n - 1) / cutoff) ** 2

    def forward(self, distance: Tensor) -> Tensor:
        """Expand distances, (L,) float32, angstrom, to (L, G) float32."""
        exponents = self.sharpness * (distance[:, None] - self.centers).square()
        # Far tails would be subnormal numbers, on which processors are 10 times slower: exp(-28) and less become 0.
        return functional.threshold(torch.exp(-exponents.clamp(max=28)), 1e-12, 0.0)
