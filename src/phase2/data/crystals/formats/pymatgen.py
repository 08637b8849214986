"""Conversion of pymatgen's structures.

pymatgen is imported only where it is needed: it takes half a second, and JARVIS records do without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from phase2.data.crystals.crystal import Crystal
from phase2.errors import InvalidCrystalError

if TYPE_CHECKING:
    from pymatgen.core import Structure

_OCCUPANCY_TOLERANCE = 1e-3


def from_pymatgen(structure: Structure, id: str) -> Crystal:  # noqa: A002 - the crystal's own field
    """Convert a pymatgen structure; oxidation states, spins and isotopes are dropped.

    Raises:
        InvalidCrystalError: A site is disordered, vacant or holds a dummy species, or the cell is invalid.
    """
    species = [_single_element(id, site, content.species) for site, content in enumerate(structure)]
    return Crystal.checked(id, species, structure.frac_coords, structure.lattice.matrix)


def _single_element(crystal_id: str, site: int, species: Mapping[object, float]) -> str:
    from pymatgen.core import DummySpecies

    present = {kind: occupancy for kind, occupancy in species.items() if occupancy > 0}
    occupancy = sum(present.values())
    if len(present) != 1 or abs(occupancy - 1) > _OCCUPANCY_TOLERANCE:
        content = " + ".join(f"{occupancy:g} {kind}" for kind, occupancy in present.items()) or "nothing"
        raise InvalidCrystalError.of(
            crystal_id,
            f"site {site} is disordered: it holds {content}, expected one whole atom.",
            "Replace the structure by an ordered approximant, or remove it.",
        )
    kind = next(iter(present))
    if isinstance(kind, DummySpecies):
        raise InvalidCrystalError.of(
            crystal_id, f"site {site} holds the dummy species {kind}, which is no chemical element."
        )
    return cast("str", kind.symbol)  # type: ignore[attr-defined]
