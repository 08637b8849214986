"""Conversion to graphs of PyTorch Geometric."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from phase2.data.batching import collate
from phase2.data.graphs.packed import PackedGraphs

if TYPE_CHECKING:
    from torch_geometric.data import Data


def to_pyg(graphs: PackedGraphs, i: int) -> Data:
    """Convert crystal ``i`` to a graph of PyTorch Geometric, which must be installed.

    Returns:
        A ``Data`` object with one edge per neighbour:

        - ``z``: atomic numbers, (N,) int64.
        - ``pos``: Cartesian positions, (N, 3) float32, angstrom.
        - ``cell``: lattice vectors as rows, (1, 3, 3) float32, angstrom.
        - ``edge_index``: (2, E) int64, senders above receivers: PyTorch Geometric's ``source_to_target``.
        - ``shift``: lattice translation of the sender's image, (E, 3) float32; the edge vector is
          ``pos[edge_index[0]] + shift @ cell[0] - pos[edge_index[1]]``.
        - ``edge_attr``: lengths, (E, 1) float32, angstrom.
        - ``y``: the nine properties in their units, (1, 9) float32, NaN where missing.
    """
    from torch_geometric.data import Data

    one = collate(graphs, np.array([i]), graphs.targets, "crystal")
    ends = torch.stack([one.bond_sender, one.bond_receiver])[:, one.edge_bond]
    vectors = one.positions[ends[0]] + one.edge_shift @ one.lattice[0] - one.positions[ends[1]]
    return Data(
        z=one.species,
        pos=one.positions,
        cell=one.lattice,
        edge_index=ends,
        shift=one.edge_shift,
        edge_attr=vectors.norm(dim=1, keepdim=True),
        y=one.targets,
    )
