"""E(3)-equivariant message passing, pooled over the crystal."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from phase2.config.schema import EquivariantConfig
from phase2.config.settings import Kernels
from phase2.data.batching import Batch, CrystalBatch
from phase2.models.base import CrystalModel
from phase2.models.elements import ElementFeatures
from phase2.models.heads import PropertyHeads
from phase2.models.layers.invariants import InvariantReadout
from phase2.models.layers.radial import SILU_GAIN, RadialBasis, RadialNetwork
from phase2.models.layers.segments import segment_mean
from phase2.models.layers.tensor_product import BondGeometry, TensorProduct


class Equivariant(CrystalModel):
    """NequIP (Batzner et al., Nat. Commun. 13, 2453, 2022) with one head per property.

    Atoms have features of degrees l = 0, 1, ... and parity (-1)^l: scalars, vectors and so on. The heads read means
    over the crystal of functions of them that are invariant under rotations, reflections and translations: see
    ``InvariantReadout``.

    Args:
        config: Hyperparameters.
        n_properties: Number of properties, P.
        mean_neighbors: Mean number of edges per atom of the training set; sums over neighbours are divided by its
            square root.
        cutoff: Cutoff radius, angstrom; longer edges do not contribute.
    """

    view: Literal["crystal"] = "crystal"
    implementations: ClassVar[tuple[Kernels, ...]] = ("plain", "triton")

    def __init__(self, config: EquivariantConfig, n_properties: int, *, mean_neighbors: float, cutoff: float) -> None:
        super().__init__()
        self.highest = len(config.channels) - 1
        self.elements = ElementFeatures(config.channels[0])
        self.basis = RadialBasis(config.radial_basis, cutoff, config.envelope)
        inputs = [config.channels[:1]] + [config.channels] * (config.layers - 1)
        self.layers = nn.ModuleList(Interaction(before, config, mean_neighbors) for before in inputs)
        self.readout = InvariantReadout(config)
        self.heads = PropertyHeads(self.readout.channels, config.trunk, n_properties)

    def embed(self, batch: Batch) -> Tensor:
        """Compute the mean over the atoms of the invariants of their features, (B, C) float32."""
        assert isinstance(batch, CrystalBatch)  # noqa: S101 - implied by view
        atoms = self.readout(self.features(batch))
        return segment_mean(atoms, batch.atom_crystal, batch.n_crystals)

    def features(self, batch: CrystalBatch) -> list[list[Tensor]]:
        """Compute the features of the atoms by degree, (N, 2l+1, C_l) float32; they rotate with the crystal.

        Returns:
            The embedding of the elements, and the features after each layer.
        """
        with torch.autocast(batch.positions.device.type, enabled=False):  # bf16 has too few digits for positions
            bonds = BondGeometry.from_batch(batch, self.highest, self.kernels)
            basis = self.basis(bonds.distance)
        elements = self.elements(batch.species)
        states = [[elements[:, None]]]
        for layer in self.layers:
            states.append(layer(states[-1], elements, basis, bonds))
        return states


class Interaction(nn.Module):
    """Interaction block: messages, channel mixing, gate, and a residual connection; then a feed-forward block, or none.

    Args:
        before: Channels of the incoming features by degree.
        config: Channels of the outgoing features, radial network.
        mean_neighbors: Mean number of edges per atom.
    """

    def __init__(self, before: tuple[int, ...], config: EquivariantConfig, mean_neighbors: float) -> None:
        super().__init__()
        after = config.channels
        gates = sum(after[1:])
        self.product = TensorProduct(before, len(after) - 1)
        self.radial = RadialNetwork(
            config.radial_basis,
            config.radial_hidden,
            self.product.n_weights,
            elements=after[0] if config.element_pairs else None,
        )
        self.mix_before = ChannelMixing(before, before)
        self.mix_messages = ChannelMixing(self.product.channels_out, (after[0] + gates, *after[1:]))
        self.mix_self = ChannelMixing(before, (after[0] + gates, *after[1 : len(before)]))
        self.gate = Gate(after)
        self.feed_forward = FeedForward(after) if config.feed_forward else None
        self.scale = mean_neighbors**-0.5

    def forward(self, features: list[Tensor], elements: Tensor, basis: Tensor, bonds: BondGeometry) -> list[Tensor]:
        """Update the features of the atoms.

        Args:
            features: Features by degree, (N, 2l+1, C_l) float32.
            elements: Embedding of the element of each atom, (N, C_0) float32.
            basis: Radial functions of each bond, (M, R) float32.
            bonds: Geometry of the bonds.

        Returns:
            Features by degree, with the channels of the outgoing features.
        """
        weights = self.radial(basis, elements, bonds.sender, bonds.receiver) * self.scale
        return self.update(features, self.product(self.mix_before(features), weights, bonds))

    def update(self, features: list[Tensor], messages: list[Tensor]) -> list[Tensor]:
        """Update features, (N, 2l+1, C_l) by degree, with the summed messages of the neighbours."""
        mixed = _add(self.mix_messages(messages), self.mix_self(features))
        updated = _add(features, self.gate(mixed))
        return updated if self.feed_forward is None else self.feed_forward(updated)


class FeedForward(nn.Module):
    """Feed-forward block, as in equivariant transformers (Liao & Smidt, ICLR 2023, arXiv:2206.11990).

    Mixes the channels, applies the gate, mixes again, and adds the result, which is zero in an untrained network.

    Args:
        channels: Channels of the features by degree.
    """

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.first = ChannelMixing(channels, (sum(channels), *channels[1:]))
        self.gate = Gate(channels)
        self.last = ChannelMixing(channels, channels)
        for weight in self.last.parameters():
            nn.init.zeros_(weight)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """Update features, (N, 2l+1, C_l) by degree."""
        return _add(features, self.last(self.gate(self.first(features))))


class ChannelMixing(nn.Module):
    """Linear map of the channels of each degree; the components of a feature share it, which keeps it equivariant.

    Args:
        before: Input channels by degree.
        after: Output channels by degree.
    """

    def __init__(self, before: tuple[int, ...], after: tuple[int, ...]) -> None:
        super().__init__()
        layers = [nn.Linear(m, n, bias=False) for m, n in zip(before, after, strict=True)]
        for layer in layers:
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
        self.degrees = nn.ModuleList(layers)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """Mix the last dimension of features by degree."""
        return [layer(x) for layer, x in zip(self.degrees, features, strict=True)]


class Gate(nn.Module):
    """Gated nonlinearity: SiLU of the scalars; other features are multiplied by the sigmoid of a scalar each.

    Args:
        channels: Output channels by degree; in the input, the scalars are followed by the gates of the others.
    """

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.channels = list(channels)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """Apply the gate to features, (N, 2l+1, C_l) by degree."""
        scalars, *gates = torch.split(features[0], self.channels, dim=2)
        gated = [x * torch.sigmoid(gate) for x, gate in zip(features[1:], gates, strict=True)]
        return [functional.silu(scalars) * SILU_GAIN, *gated]


def _add(one: list[Tensor], other: list[Tensor]) -> list[Tensor]:
    """Add features by degree; the first layer has no more than scalars to add."""
    most = max(len(one), len(other))
    return [
        a if b is None else b if a is None else a + b
        for a, b in zip(*(x + [None] * (most - len(x)) for x in (one, other)), strict=True)
    ]
