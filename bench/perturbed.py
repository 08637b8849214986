"""Crystals in any number: those of the embedded sample with ten atoms, strained and displaced at random."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from phase2.data.sources.registry import open_source
from phase2.properties import PROPERTIES

ATOMS = 10
STRAIN, DISPLACEMENT, SPREAD = 0.01, 0.05, 0.01  # of the cell, angstrom, of a label: standard deviations


def perturbed(count: int) -> Iterator[dict[str, object]]:
    """Yield records of perturbed crystals of the sample, labels included."""
    source = open_source("sample")
    parsed = (source.parse(raw) for raw in source.records())
    models = [(one.crystal, one.targets) for one in parsed if one.crystal.n_atoms == ATOMS]
    rng = np.random.default_rng(0)
    for k in range(count):
        crystal, targets = models[k % len(models)]
        lattice = crystal.lattice @ (np.eye(3) + rng.normal(0, STRAIN, (3, 3)))
        shift = rng.normal(0, DISPLACEMENT, (ATOMS, 3)) @ np.linalg.inv(lattice)
        values = (targets * rng.normal(1, SPREAD, len(targets))).round(5).tolist()
        yield {
            "jid": f"{crystal.id}-{k}",
            "atoms": {
                "lattice_mat": lattice.round(6).tolist(),
                "coords": (crystal.frac + shift).round(6).tolist(),
                "elements": list(crystal.symbols),
                "cartesian": False,
            },
            **{p.column: value for p, value in zip(PROPERTIES, values, strict=True) if not math.isnan(value)},
        }


def write_crystals(path: Path, count: int) -> int:
    """Write crystals as JSON lines, one at a time; return the CRC-32 of their labels."""
    checksum = 0
    with path.open("w") as file:
        for record in perturbed(count):
            file.write(json.dumps(record) + "\n")
            values = [record.get(p.column, np.nan) for p in PROPERTIES]
            checksum = zlib.crc32(np.array(values, dtype=np.float32).tobytes(), checksum)
    return checksum
