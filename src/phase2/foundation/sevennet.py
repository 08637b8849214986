"""Features of crystals from SevenNet, an equivariant potential whose weights come with its package (MIT licence).

Y. Park, J. Kim, S. Hwang, S. Han, J. Chem. Theory Comput. 20, 4857 (2024), doi:10.1021/acs.jctc.4c00190.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pymatgen.optimization.neighbors import find_points_in_spheres
from torch import Tensor

from phase2.data.graphs.packed import PackedGraphs
from phase2.foundation.potential import means_and_spreads

_PERIODIC = np.ones(3, dtype=np.int64)
_SELF = 1e-8  # angstrom: an atom and itself
_LAST = "equivariant_gate"


@dataclass(frozen=True, slots=True, eq=False)
class _Atoms:
    """Atoms and edges of several crystals, as SevenNet counts them: a message goes from source to target."""

    species: Tensor
    crystal: Tensor
    edge_index: Tensor
    edge_vector: Tensor


class SevenNet:
    """SevenNet as a fixed function from crystals to features.

    The features of a crystal are means and standard deviations over its atoms of what each interaction layer gives:
    scalars, and norms of vectors and tensors, which are invariant.

    Args:
        name: Name of the potential in its package: ``7net-0``.
        device: Device to compute on.

    Attributes:
        digest: SHA-256 of the file with the weights, hexadecimal.
        elements: Atomic numbers that it knows.
        width: Number of features, F.
    """

    def __init__(self, name: str, device: torch.device | str = "cpu") -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about accelerators that are not installed
            from sevenn.util import load_checkpoint, pretrained_name_to_path

            path = Path(pretrained_name_to_path(name))
            model = load_checkpoint(path).build_model()
        self.digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.elements = frozenset(model.type_map)
        self._cutoff = float(model.cutoff)
        self._device = torch.device(device)
        model.set_is_batch_data(True)
        self._model: Any = model.to(self._device).eval().requires_grad_(requires_grad=False)
        gates = [gate for name, gate in self._model.named_children() if name.endswith(_LAST)]
        self.width = 2 * int(sum(gate.gate.irreps_out.num_irreps for gate in gates))

    def features(self, graphs: PackedGraphs, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """Compute the features of some crystals of a store, which must be of known elements, (B, F) float32."""
        atoms = self._atoms(graphs, index)
        with torch.no_grad():
            return means_and_spreads(self._invariants(atoms), atoms.crystal, len(index))

    def refusal(self, graphs: PackedGraphs, crystal: int) -> str:  # noqa: ARG002 - of the protocol
        """Return "": it computes every crystal of known elements."""
        return ""

    def _atoms(self, graphs: PackedGraphs, index: NDArray[np.int64]) -> _Atoms:
        """Gather crystals with all their neighbours within the cutoff, however many."""
        species, owners, sources, targets, vectors = [], [], [], [], []
        start = 0
        for k, crystal in enumerate(index.tolist()):
            rows = slice(int(graphs.atom_offset[crystal]), int(graphs.atom_offset[crystal + 1]))
            positions = np.ascontiguousarray(graphs.positions[rows], dtype=np.float64)
            lattice = np.ascontiguousarray(graphs.lattice[crystal], dtype=np.float64)
            one, other, shift, distance = find_points_in_spheres(
                positions, positions, r=self._cutoff, pbc=_PERIODIC, lattice=lattice, tol=1e-8
            )
            kept = distance > _SELF
            one, other = one[kept], other[kept]
            vectors.append(positions[other] + shift[kept] @ lattice - positions[one])
            sources.append(one + start)
            targets.append(other + start)
            species.append(graphs.species[rows])
            owners.append(np.full(len(positions), k))
            start += len(positions)
        edges = np.stack([np.concatenate(sources), np.concatenate(targets)]).astype(np.int64)
        return _Atoms(
            torch.from_numpy(np.concatenate(species).astype(np.int64)).to(self._device),
            torch.from_numpy(np.concatenate(owners)).to(self._device),
            torch.from_numpy(edges).to(self._device),
            torch.from_numpy(np.concatenate(vectors).astype(np.float32)).to(self._device),
        )

    def _invariants(self, atoms: _Atoms) -> Tensor:
        """Compute the invariants of all layers, (N, I) float32."""
        data: dict[str, Tensor] = {
            "atomic_numbers": atoms.species,
            "x": self._model._atomic_numbers_to_onehot(atoms.species),  # noqa: SLF001 - it has no public name
            "batch": atoms.crystal,
            "edge_index": atoms.edge_index,
            "edge_vec": atoms.edge_vector,
        }
        found = []
        for name, module in self._model.named_children():
            data = module(data)
            if name.endswith(_LAST):
                found.append(_invariants(data["x"], module.gate.irreps_out))
            elif name.startswith("reduce"):
                break
        return torch.cat(found, dim=1)


def _invariants(x: Tensor, irreps: Any) -> Tensor:
    """Split features, (N, sum of C_l (2l + 1)), by degree, and return scalars and norms, (N, sum of C_l)."""
    parts = []
    for (channels, irrep), one in zip(irreps, torch.split(x, [m * i.dim for m, i in irreps], dim=1), strict=True):
        cells = one.view(len(x), channels, irrep.dim)
        parts.append(cells[..., 0] if irrep.l == 0 else cells.square().mean(dim=2).sqrt())
    return torch.cat(parts, dim=1)
