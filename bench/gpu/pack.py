"""Pack crystals of the embedded sample for the check on a GPU: ``python -m bench.gpu.pack`` (``make gpu-pack``).

This needs everything installed; the check that reads the file does not.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from bench.gpu.equivalents import equivalent_crystals
from bench.gpu.setting import DATA
from bench.gpu.store import write_store
from phase2.config.schema import DataConfig, GraphSpec
from phase2.data.dataset import open_graph_store
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.graphs.packing import pack

CRYSTALS = 2048


def main() -> None:
    """Write the file, and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="sample", help="data set or path")
    parser.add_argument("--crystals", type=int, default=CRYSTALS, help="crystals packed, evenly chosen by their size")
    parser.add_argument("--output", type=Path, default=DATA, help="the file")
    chosen = parser.parse_args()
    pack_crystals(chosen.output, chosen.crystals, chosen.data)
    print(f"{chosen.output}: {chosen.output.stat().st_size / 1e6:.1f} MB")


def pack_crystals(path: Path, count: int, source: str = "sample") -> None:
    """Write a file of crystals evenly chosen by their number of edges, so that they are as large as all on average.

    Args:
        path: Where to.
        count: Most crystals.
        source: Data set or path.
    """
    everything = open_graph_store(DataConfig(source=source)).graphs
    write_store(path, evenly_chosen(everything, count), pack(equivalent_crystals(), GraphSpec()))


def evenly_chosen(graphs: PackedGraphs, count: int) -> PackedGraphs:
    """Choose crystals evenly by their number of edges, in the order of the source."""
    by_size = np.argsort(np.diff(graphs.edge_offset), kind="stable")
    chosen = np.linspace(0, len(graphs) - 1, min(count, len(graphs))).round().astype(np.int64)
    return graphs.take(np.sort(by_size[chosen]))


if __name__ == "__main__":
    main()
