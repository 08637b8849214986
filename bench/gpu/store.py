"""Packed crystals in one file that numpy alone reads: some to train on, and some whose predictions must be equal."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phase2.data.graphs.packed import PackedGraphs
from phase2.data.splits.draw import draw_split
from phase2.data.splits.split import Split
from phase2.data.targets import TargetScaler
from phase2.errors import DataError
from phase2.properties import KEYS, get_property

CRYSTALS, EQUIVALENTS = "crystals", "equivalents"
SEPARATOR = ": "
"""Between the name of a crystal and what was done to it, in the ids of the equivalent crystals."""


@dataclass(frozen=True, slots=True, eq=False)
class PackedData:
    """Data of a training, as :class:`phase2.training.loader.TrainingData` asks for them."""

    graphs: PackedGraphs
    targets: NDArray[np.float64]
    split: Split
    scaler: TargetScaler
    fingerprint: str
    features: NDArray[np.float32] | None = None
    features_digest: str | None = None


@dataclass(frozen=True)
class PackedStore:
    """The file of packed crystals.

    Attributes:
        path: An ``.npz`` file of :func:`write_store`.
    """

    path: Path

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file, hexadecimal."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def data(self, properties: Sequence[str]) -> PackedData:
        """Read the crystals to train on, with their labels of these properties, split as ``phase2 train`` splits."""
        graphs = self._read(CRYSTALS)
        targets = np.asarray(graphs.targets, np.float64)[:, [KEYS.index(key) for key in properties]]
        split = draw_split(graphs.ids, graphs.ids, seed=42)
        scaler = TargetScaler.fit(targets[split.train], [get_property(key) for key in properties])
        return PackedData(graphs, targets, split, scaler, self.sha256)

    def equivalents(self) -> PackedGraphs:
        """Read the crystals whose predictions must be equal: all those of one name before the separator."""
        return self._read(EQUIVALENTS)

    def _read(self, group: str) -> PackedGraphs:
        try:
            with np.load(self.path, allow_pickle=False) as file:
                return PackedGraphs(**{f.name: file[f"{group}/{f.name}"] for f in fields(PackedGraphs)})
        except (OSError, ValueError, KeyError) as error:
            raise DataError(
                f"The file of crystals '{self.path}' cannot be read.",
                why=str(error),
                fix="Make it with `make gpu-pack`, where phase2 is installed with everything.",
            ) from error


def write_store(path: Path, crystals: PackedGraphs, equivalents: PackedGraphs) -> None:
    """Write the file.

    Args:
        path: Where to.
        crystals: Crystals to train on.
        equivalents: Crystals whose predictions must be equal.
    """
    groups = {CRYSTALS: crystals, EQUIVALENTS: equivalents}
    arrays = {f"{name}/{f.name}": getattr(graphs, f.name) for name, graphs in groups.items() for f in fields(graphs)}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)
