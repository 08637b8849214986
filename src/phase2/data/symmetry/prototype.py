"""The prototype of a crystal: what is left of its structure when elements and lengths are forgotten.

A prototype is the anonymous formula, the space group, and for each element the orbits that its atoms occupy: their
multiplicity in the primitive cell and their site symmetry. Letters of Wyckoff positions are not part of it, since they
depend on the choice of the origin (the sodium of rock salt is on ``a`` or on ``b``). It is therefore somewhat coarser
than the prototypes of AFLOW (Mehl et al., Comput. Mater. Sci. 136, S1, 2017): crystals of one of theirs have one of
ours.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.symmetry import UNKNOWN, symmetry_dataset


class Symmetry(NamedTuple):
    """Symmetry of one crystal.

    Attributes:
        number: Space group, 1 to 230; 0 where none is found.
        prototype: Label of the prototype; "" where there is no space group.
    """

    number: int
    prototype: str


def find_symmetry(
    lattice: NDArray[np.floating], species: NDArray[np.integer], positions: NDArray[np.floating]
) -> Symmetry:
    """Find the symmetry of a crystal with spglib, about 3 ms.

    Args:
        lattice: Lattice vectors as rows, (3, 3), angstrom.
        species: Atomic numbers, (N,).
        positions: Cartesian positions, (N, 3), angstrom.
    """
    found = symmetry_dataset(lattice, species, positions)
    if found is None:
        return Symmetry(UNKNOWN, "")
    cell = len(np.unique(found.mapping_to_primitive))
    label = prototype_label(
        int(found.number),
        [int(number) for number in species],
        [int(k) for k in found.crystallographic_orbits],
        [str(one) for one in found.site_symmetry_symbols],
        cell / len(species),
    )
    return Symmetry(int(found.number), label)


def prototype_label(
    number: int, species: list[int], orbits: list[int], site_symmetries: list[str], primitive: float
) -> str:
    """Return the label of a prototype: ``A1B1 225 A:1xm-3m B:1xm-3m`` is rock salt.

    Args:
        number: Space group.
        species: Atomic numbers of the N atoms of a cell.
        orbits: Orbit of each atom.
        site_symmetries: Site symmetry of each atom.
        primitive: Atoms of the primitive cell by those of the cell.
    """
    amounts = Counter(species)
    divisor = int(np.gcd.reduce(list(amounts.values())))
    occupied: dict[int, list[str]] = {element: [] for element in amounts}
    for orbit, size in Counter(orbits).items():
        first = orbits.index(orbit)
        occupied[species[first]].append(f"{round(size * primitive)}x{_unordered(site_symmetries[first])}")
    # Elements without their names, the same in every crystal of a prototype.
    kinds = sorted((amounts[element] // divisor, sorted(sites)) for element, sites in occupied.items())
    letters = [chr(ord("A") + k) for k in range(len(kinds))]
    formula = "".join(f"{letter}{amount}" for letter, (amount, _) in zip(letters, kinds, strict=True))
    sites = " ".join(f"{letter}:{','.join(places)}" for letter, (_, places) in zip(letters, kinds, strict=True))
    return f"{formula} {number} {sites}"


def _unordered(symbol: str) -> str:
    """Return a site symmetry without its orientation, which depends on the choice of the axes: ``.m.`` is ``m``."""
    parts: list[str] = []
    for character in symbol:
        if character == ".":
            continue
        if parts and (parts[-1] == "-" or character == "/" or parts[-1].endswith("/")):
            parts[-1] += character
        else:
            parts.append(character)
    return "".join(sorted(parts))
