"""Features of crystals from CHGNet, a graph network whose weights come with its package (modified BSD licence).

B. Deng, P. Zhong, K. Jun, J. Riebesell, K. Han, C. J. Bartel, G. Ceder, Nat. Mach. Intell. 5, 1031 (2023),
doi:10.1038/s42256-023-00716-3.
"""

from __future__ import annotations

import hashlib
import io
import sys
import threading
import warnings
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phase2.data.graphs.packed import PackedGraphs
from phase2.foundation.potential import means_and_spreads

_NOT_FITTED = range(84, 89)
"""Po to Ra: no crystal of MPtrj has them, so that what they are embedded as was drawn, and never fitted."""


class CHGNet:
    """CHGNet as a fixed function from crystals to features.

    The features of a crystal are means and standard deviations over its atoms of what each of the four interaction
    layers gives, of the last one as its read-out reads it. They are functions of distances and angles, so invariant.

    Args:
        name: Name of the weights in its package: ``0.3.0``.
        device: Device to compute on.

    Attributes:
        digest: SHA-256 of the file with the weights, hexadecimal.
        elements: Atomic numbers that it knows.
        width: Number of features, F.
    """

    def __init__(self, name: str, device: torch.device | str = "cpu") -> None:
        package = _import()
        (path,) = (Path(package.__file__).parents[1] / "pretrained" / name).glob("*.pth.tar")
        content = path.read_bytes()
        self.digest = hashlib.sha256(content).hexdigest()
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        with redirect_stdout(io.StringIO()):  # it prints how many parameters it has
            model = package.CHGNet.from_dict(state["model"])
        self._device = torch.device(device)
        self._model: Any = model.to(self._device).eval().requires_grad_(requires_grad=False)
        self._layers = [*model.atom_conv_layers[:-1], model.readout_norm]
        self._lock = threading.Lock()  # layers are listened to while crystals of one caller pass through them
        self.elements = frozenset(range(1, 1 + model.atom_embedding.embedding.num_embeddings)) - {*_NOT_FITTED}
        self.width = 2 * len(self._layers) * int(model.atom_fea_dim)

    def refusal(self, graphs: PackedGraphs, crystal: int) -> str:
        """Say that an atom is isolated, which CHGNet has no graph for; "" where none is."""
        cutoff = self._model.graph_converter.atom_graph_cutoff
        structure = _structure(graphs, crystal)
        receivers, *_ = structure.get_neighbor_list(cutoff, numerical_tol=1e-8)
        isolated = len(np.unique(receivers)) < len(structure)
        return f"an atom of it has no other within {cutoff:g} angstrom" if isolated else ""

    def features(self, graphs: PackedGraphs, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """Compute the features of some crystals of a store, none of which it refuses, (B, F) float32."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pymatgen, that noble gases have no electronegativity
            converted = [self._model.graph_converter(_structure(graphs, one)) for one in index.tolist()]
        counts = torch.tensor([len(one.atomic_number) for one in converted], device=self._device)
        crystal = torch.repeat_interleave(torch.arange(len(index), device=self._device), counts)
        with torch.no_grad():
            values = self._layers_of([one.to(self._device) for one in converted])
            return means_and_spreads(values, crystal, len(index))

    def _layers_of(self, converted: list[Any]) -> Tensor:
        """Compute what the layers give for the atoms of some crystals, side by side, (N, I) float32."""
        found: list[Tensor] = []
        with self._lock, ExitStack() as stack:
            for layer in self._layers:
                handle = layer.register_forward_hook(lambda _, __, output: found.append(output))
                stack.callback(handle.remove)
            self._model(converted, task="e")
        return torch.cat(found, dim=1)


def _import() -> Any:
    """Import the module of CHGNet where nvidia-ml-py3 is not installed.

    It imports ``nvidia_smi`` of that package, for the free memory of GPUs, which nothing here asks for. The functions
    are those of ``pynvml`` of nvidia-ml-py, which stands in for it while CHGNet is imported.
    """
    import pynvml

    stand_in = sys.modules.setdefault("nvidia_smi", pynvml)
    try:
        import chgnet.model.model
    finally:
        if stand_in is pynvml:
            del sys.modules["nvidia_smi"]
    return chgnet.model.model


def _structure(graphs: PackedGraphs, crystal: int) -> Any:
    from pymatgen.core import Lattice, Structure

    rows = slice(int(graphs.atom_offset[crystal]), int(graphs.atom_offset[crystal + 1]))
    lattice, positions = graphs.lattice[crystal], graphs.positions[rows]
    return Structure(
        Lattice(lattice.astype(np.float64)),
        graphs.species[rows].tolist(),
        positions.astype(np.float64),
        coords_are_cartesian=True,
    )
