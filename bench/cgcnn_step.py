"""A training step of CGCNN, against a network of PyTorch Geometric's ``CGConv`` of the same width and depth.

The same crystals, loss and optimiser. ``CGConv`` runs on the full graphs, with its batch norm of the sums; ours runs on
the quotient graphs, and once on the full graphs to show the gain from the quotient graphs alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch_geometric.nn import CGConv

from bench.workload import arguments, compare, crystals, report
from phase2.config.schema import CGCNN_PRESETS, CgcnnConfig
from phase2.data.batching import CrystalBatch, QuotientBatch, collate
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.prefetch import prefetch_batches
from phase2.data.sampling import BalancedBatchSampler
from phase2.models.build import build_model
from phase2.models.cgcnn import Cgcnn, GaussianExpansion
from phase2.models.elements import ElementFeatures
from phase2.models.heads import PropertyHeads
from phase2.models.layers.segments import segment_mean
from phase2.models.layers.tensor_product import edge_vectors

CUTOFF = 5.0


class PygCgcnn(nn.Module):
    """The same network as ours except for the convolution."""

    def __init__(self, config: CgcnnConfig, n_properties: int) -> None:
        super().__init__()
        self.elements = ElementFeatures(config.width)
        self.expansion = GaussianExpansion(config.gaussians, CUTOFF)
        self.convolutions = nn.ModuleList(
            CGConv(config.width, config.gaussians, batch_norm=True) for _ in range(config.convolutions)
        )
        self.heads = PropertyHeads(config.width, config.trunk, n_properties)

    def forward(self, batch: QuotientBatch) -> Tensor:
        """Predict normalised properties."""
        nodes, edges = self.elements(batch.species), self.expansion(batch.distance)
        ends = torch.stack([batch.sender, batch.receiver])
        for convolution in self.convolutions:
            nodes = convolution(nodes, ends, edges)
        return self.heads(segment_mean(nodes, batch.node_crystal, batch.n_crystals))


def full_graph(batch: CrystalBatch) -> QuotientBatch:
    """Return the quotient graph if no two atoms are equivalent: the graph itself."""
    receiver = batch.bond_receiver[batch.edge_bond]
    return QuotientBatch(
        species=batch.species,
        weight=torch.ones(len(batch.species)),
        node_crystal=batch.atom_crystal,
        receiver=receiver,
        sender=batch.bond_sender[batch.edge_bond],
        distance=edge_vectors(batch).norm(dim=1),
        link_weight=torch.ones(len(receiver)),
        n_crystals=batch.n_crystals,
        targets=batch.targets,
        index=batch.index,
    )


def trainer(model: nn.Module) -> Callable[[QuotientBatch], None]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)

    def step(batch: QuotientBatch) -> None:
        present = ~torch.isnan(batch.targets)
        errors = model(batch) - batch.targets.nan_to_num()
        loss = (errors.abs() * present).sum() / present.sum().clamp(min=1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def waiting(graphs: PackedGraphs, targets: np.ndarray, step: Callable[[QuotientBatch], None], size: int) -> float:
    """Measure the fraction of an epoch spent waiting for the loader."""
    batches = BalancedBatchSampler(np.diff(graphs.link_offset), size, seed=0).epoch(0)
    loader = prefetch_batches(graphs, batches, targets, view="quotient")
    start, waited = time.perf_counter(), 0.0
    while True:
        asked = time.perf_counter()
        batch = next(loader, None)
        waited += time.perf_counter() - asked
        if batch is None:
            return waited / (time.perf_counter() - start)
        assert isinstance(batch, QuotientBatch)
        step(batch)


def main() -> None:
    chosen = arguments(__doc__ or "", batch_size=128)
    graphs, config = crystals(chosen), CGCNN_PRESETS[chosen.size]
    targets = np.sign(graphs.targets[:, :4]) * np.log1p(np.abs(graphs.targets[:, :4]))
    rng = np.random.default_rng(0)
    index = [rng.choice(len(graphs), min(chosen.batch_size, len(graphs)), replace=False) for _ in range(8)]
    quotient = [collate(graphs, i, targets, "quotient") for i in index]
    full = [full_graph(collate(graphs, i, targets, "crystal")) for i in index]
    ours = build_model(config, 4, 12.0, CUTOFF)
    assert isinstance(ours, Cgcnn)
    pyg_step, our_step = trainer(PygCgcnn(config, 4)), trainer(ours)
    contestants: dict[str, Callable[[int], object]] = {
        "PyG CGConv, full graphs": lambda k: pyg_step(full[k % 8]),
        "phase2, full graphs": lambda k: our_step(full[k % 8]),
        "phase2, quotient graphs": lambda k: our_step(quotient[k % 8]),
    }
    print(f"training steps of preset {chosen.size}: {config.width} x {config.convolutions}")
    report(compare(contestants, rounds=4 * chosen.rounds, per_call=len(index[0])), baseline="PyG CGConv, full graphs")
    share = waiting(graphs, targets, our_step, chosen.batch_size)
    print(f"waiting for data: {share:.2%} of an epoch of {len(graphs)} crystals")


if __name__ == "__main__":
    main()
