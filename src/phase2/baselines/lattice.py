"""Features of the cell that do not depend on its choice: volume per atom, density, packing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phase2.baselines.block import Block
from phase2.data.crystals.element_properties import element_properties

_RADII = ("covalent_radius", "atomic_radius", "ionic_radius")
_DENSITY = 1.66053906660  # g/cm3 of one dalton per cubic angstrom


def lattice_names() -> list[str]:
    """Return the names of the lattice features."""
    return ["volume per atom", "density", "volume / molar volumes", *(f"packing by {radius}" for radius in _RADII)]


def lattice_features(block: Block) -> NDArray[np.float64]:
    """Describe volume, density and packing of each crystal, (B, number of names) float64.

    Cubic angstrom per atom, g/cm3, volume / mean molar volume of the elements, and volume of spheres / volume.
    """
    table = element_properties()
    mass, molar = (block.mean(table.column(name)[block.species]) for name in ("mass", "molar_volume"))
    spheres = [block.mean(4 / 3 * np.pi * table.column(radius)[block.species] ** 3) for radius in _RADII]
    volume = block.volume
    return np.stack([volume, _DENSITY * mass / volume, volume / molar, *(s / volume for s in spheres)], axis=1)
