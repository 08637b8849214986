"""Pretrained potentials by name, as functions from crystals to features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from phase2.config.extras import explain_missing_packages
from phase2.config.foundation_models import foundation_model
from phase2.data.crystals.elements import SYMBOLS
from phase2.data.graphs.packed import PackedGraphs
from phase2.foundation.chgnet import CHGNet
from phase2.foundation.potential import Potential
from phase2.foundation.sevennet import SevenNet

BATCH = 8
"""Crystals per pass: more need more memory, and are no faster on a CPU."""

POTENTIALS: Mapping[str, Callable[[str, str], Potential]] = {"sevenn": SevenNet, "chgnet": CHGNet}
"""What loads the potentials of a package, by the name of the package, from a name there and a device."""


class Featurizer:
    """Pretrained potential that gives each crystal of a store its features.

    Args:
        name: Its name: ``sevennet-0``.
        device: Device to compute on.

    Attributes:
        name: Its name.
        digest: SHA-256 of its weights, hexadecimal.

    Raises:
        UnknownNameError: There is none of this name.
        MissingExtraError: Its package is not installed.
    """

    def __init__(self, name: str, device: str = "cpu") -> None:
        one = foundation_model(name)
        with explain_missing_packages():
            self._model = POTENTIALS[one.package](one.package_name, device)
        self.name = name
        self.digest = self._model.digest

    def features(self, graphs: PackedGraphs, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """Compute the features of some crystals, (B, F) float32; NaN for those that it refuses."""
        known = np.array([not self.refusal(graphs, k) for k in index.tolist()], dtype=bool)
        parts = [index[known][start : start + BATCH] for start in range(0, int(known.sum()), BATCH)]
        found = [self._model.features(graphs, part) for part in parts]
        width = self._model.width
        rows = np.full((len(index), width), np.nan, np.float32)
        if found:
            rows[known] = np.concatenate(found)
        return rows

    @property
    def width(self) -> int:
        """Number of features, F."""
        return self._model.width

    def refusal(self, graphs: PackedGraphs, crystal: int) -> str:
        """Say why the potential gives a crystal no features; "" where it gives some."""
        atoms = slice(int(graphs.atom_offset[crystal]), int(graphs.atom_offset[crystal + 1]))
        unknown = sorted(set(graphs.species[atoms].tolist()) - self._model.elements)
        if unknown:
            why = f"it does not know {', '.join(SYMBOLS[z - 1] for z in unknown)}"
        else:
            why = self._model.refusal(graphs, crystal)
        return f"{foundation_model(self.name).title} gives it no features: {why}" if why else ""


@lru_cache(maxsize=2)
def featurizer(name: str, device: str = "cpu") -> Featurizer:
    """Return the potential of a name, loaded once per process.

    Raises:
        UnknownNameError: There is none of this name.
        MissingExtraError: Its package is not installed.
    """
    return Featurizer(name, device)
