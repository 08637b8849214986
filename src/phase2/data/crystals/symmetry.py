"""Space groups of crystals."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

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
    from pymatgen.core import Lattice, Structure
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer, SymmetryUndeterminedError

    atoms = [int(number) for number in species]
    structure = Structure(Lattice(lattice), atoms, positions, coords_are_cartesian=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return int(SpacegroupAnalyzer(structure, symprec=TOLERANCE).get_space_group_number())
    except (SymmetryUndeterminedError, TypeError, ValueError):
        return UNKNOWN
