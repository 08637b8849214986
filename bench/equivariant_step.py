"""A training step of the equivariant model, compared with e3nn's own tensor product on every edge, and its parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

import numpy as np
import torch
from e3nn import o3
from torch import Tensor, nn

from bench.workload import arguments, compare, crystals, report
from phase2.config.schema import EQUIVARIANT_SIZES, EquivariantConfig
from phase2.data.batching import CrystalBatch, collate
from phase2.models.build import build_model
from phase2.models.equivariant import Equivariant, Interaction
from phase2.models.layers.segments import segment_mean
from phase2.models.layers.tensor_product import TensorProduct, edge_vectors


class E3nnProduct(nn.Module):
    """Tensor product of a layer by e3nn: one per edge, then a sum. Features are (N, multiplicity x components)."""

    def __init__(self, product: TensorProduct) -> None:
        super().__init__()
        channels, paths = product.channels, product.paths
        self.highest, self.shapes = product.highest, [(p.l3, channels[p.l1], 2 * p.l3 + 1) for p in paths]
        self.out = o3.Irreps([(channels[p.l1], (p.l3, (-1) ** p.l3)) for p in paths])
        self.product = o3.TensorProduct(
            o3.Irreps([(c, (degree, (-1) ** degree)) for degree, c in enumerate(channels)]),
            o3.Irreps.spherical_harmonics(self.highest),
            self.out,
            [(p.l1, p.l2, k, "uvu", True) for k, p in enumerate(paths)],
            shared_weights=False,
            internal_weights=False,
        )

    def forward(self, features: list[Tensor], weights: Tensor, harmonics: Tensor, ends: Tensor) -> list[Tensor]:
        """Multiply per edge and sum."""
        flat = torch.cat([x.transpose(1, 2).flatten(1) for x in features], dim=1)
        per_edge = self.product(flat[ends[0]], harmonics, weights)
        summed = per_edge.new_zeros(len(flat), per_edge.shape[1]).index_add(0, ends[1], per_edge)
        results: list[list[Tensor]] = [[] for _ in range(self.highest + 1)]
        pieces = summed.split([c * m for _, c, m in self.shapes], dim=1)
        for (degree, c, m), piece in zip(self.shapes, pieces, strict=True):
            results[degree].append(piece.view(-1, c, m).transpose(1, 2))
        return [torch.cat(parts, dim=2) for parts in results]


class E3nnEquivariant(nn.Module):
    """Our network with e3nn's tensor product."""

    def __init__(self, ours: Equivariant) -> None:
        super().__init__()
        self.ours = ours
        self.products = nn.ModuleList(E3nnProduct(cast("Interaction", layer).product) for layer in ours.layers)

    def forward(self, batch: CrystalBatch) -> Tensor:
        """Predict normalised properties."""
        vectors = edge_vectors(batch)
        degrees = list(range(self.ours.highest + 1))
        harmonics = o3.spherical_harmonics(degrees, vectors, normalize=True, normalization="component")
        ends = torch.stack([batch.bond_sender, batch.bond_receiver])[:, batch.edge_bond]
        basis = self.ours.basis(vectors.norm(dim=1))
        elements = self.ours.elements(batch.species)
        states = [[elements[:, None]]]
        for layer, product in zip(self.ours.layers, self.products, strict=True):
            update = self.interact(cast("Interaction", layer), product, states[-1], elements, basis, harmonics, ends)
            states.append(update)
        crystals = segment_mean(self.ours.readout(states), batch.atom_crystal, batch.n_crystals)
        return self.ours.heads(crystals)

    @staticmethod
    def interact(
        layer: Interaction,
        product: nn.Module,
        features: list[Tensor],
        elements: Tensor,
        basis: Tensor,
        harmonics: Tensor,
        ends: Tensor,
    ) -> list[Tensor]:
        """Run a layer of our network with another tensor product."""
        weights = layer.radial(basis, elements, *ends) * layer.scale
        return layer.update(features, product(layer.mix_before(features), weights, harmonics, ends))


ADDED: dict[str, dict[str, object]] = {
    "element pairs": {"element_pairs": True},
    "element pairs and feed-forward": {"element_pairs": True, "feed_forward": True},
}
"""Parts of the network that can be added to it."""


def network(config: EquivariantConfig) -> Equivariant:
    """Return an untrained network that predicts something."""
    made = build_model(config, 4, 12.3, 5.0)
    assert isinstance(made, Equivariant)
    nn.init.normal_(made.heads.weight)
    return made


def trainer(model: nn.Module) -> Callable[[CrystalBatch], None]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)

    def step(batch: CrystalBatch) -> None:
        present = ~torch.isnan(batch.targets)
        errors = model(batch) - batch.targets.nan_to_num()
        loss = (errors.abs() * present).sum() / present.sum().clamp(min=1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def _step_on(step: Callable[[CrystalBatch], None], batches: Sequence[CrystalBatch], k: int) -> None:
    step(batches[k % len(batches)])


def main() -> None:
    chosen = arguments(__doc__ or "", batch_size=16)
    graphs, config = crystals(chosen), EQUIVARIANT_SIZES[chosen.size]
    targets = np.sign(graphs.targets[:, :4]) * np.log1p(np.abs(graphs.targets[:, :4]))
    rng = np.random.default_rng(0)
    index = [rng.choice(len(graphs), min(chosen.batch_size, len(graphs)), replace=False) for _ in range(8)]
    batches = [collate(graphs, i, targets, "crystal") for i in index]
    ours = network(config)
    theirs = E3nnEquivariant(ours)
    with torch.no_grad():
        gap = (ours(batches[0]) - theirs(batches[0])).abs().max() / ours(batches[0]).abs().max()
    print(f"training steps of size {chosen.size}; both networks agree to {gap:.1e}")
    steps = {"e3nn TensorProduct, every edge": trainer(theirs), "phase2": trainer(ours)}
    for name, parts in ADDED.items():
        steps[f"phase2, {name}"] = trainer(network(config.model_copy(update=parts)))
    contestants: dict[str, Callable[[int], object]] = {
        name: partial(_step_on, step, batches) for name, step in steps.items()
    }
    rates = compare(contestants, rounds=2 * chosen.rounds, per_call=len(index[0]))
    report(rates, baseline="e3nn TensorProduct, every edge")


if __name__ == "__main__":
    main()
