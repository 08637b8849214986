"""Space groups of crystals."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from spglib import SpglibDataset

TOLERANCE = 0.01
"""Largest distance of an atom from where a symmetry operation puts it, angstrom."""

UNKNOWN = 0


def space_group(lattice: NDArray[np.floating], species: NDArray[np.integer], positions: NDArray[np.floating]) -> int:
    """Return the number of the space group of a crystal, 1 to 230; 0 where none is found.

    Args:
        lattice: Lattice vectors as rows, (3, 3), angstrom.
        species: Atomic numbers, (N,).
        positions: Cartesian positions, (N, 3), angstrom.
    """
    found = symmetry_dataset(lattice, species, positions)
    return UNKNOWN if found is None else int(found.number)


def symmetry_dataset(
    lattice: NDArray[np.floating], species: NDArray[np.integer], positions: NDArray[np.floating]
) -> SpglibDataset | None:
    """Return what spglib finds of the symmetry of a crystal; None where it finds none. The arguments are the same."""
    from pymatgen.core import Lattice, Structure
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer, SymmetryUndeterminedError

    atoms = [int(number) for number in species]
    structure = Structure(Lattice(lattice), atoms, positions, coords_are_cartesian=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: SpglibDataset | None = SpacegroupAnalyzer(structure, symprec=TOLERANCE).get_symmetry_dataset()
    except (SymmetryUndeterminedError, TypeError, ValueError):
        return None
    return found
