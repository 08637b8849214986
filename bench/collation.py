"""Collation of packed graphs into a batch, compared with PyTorch Geometric on the same crystals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch_geometric.data import Batch

from bench.workload import arguments, compare, crystals, report
from phase2.data.batching import collate
from phase2.data.pyg import to_pyg


def main() -> None:
    chosen = arguments(__doc__ or "", batch_size=64)
    graphs = crystals(chosen)
    batches = np.random.default_rng(0).permutation(len(graphs))[: len(graphs) // chosen.batch_size * chosen.batch_size]
    batches = batches.reshape(-1, chosen.batch_size)
    pyg = [to_pyg(graphs, i) for i in range(len(graphs))]
    contestants: dict[str, Callable[[int], object]] = {
        "PyG Batch.from_data_list": lambda _: [Batch.from_data_list([pyg[i] for i in batch]) for batch in batches],
        "CrystalBatch (same content)": lambda _: [collate(graphs, b, graphs.targets, "crystal") for b in batches],
        "QuotientBatch": lambda _: [collate(graphs, b, graphs.targets, "quotient") for b in batches],
    }
    rates = compare(contestants, rounds=chosen.rounds, per_call=batches.size)
    report(rates, baseline="PyG Batch.from_data_list")


if __name__ == "__main__":
    main()
