"""Conversion of pymatgen's structures.

pymatgen is imported only where it is needed: it takes half a second, and JARVIS records do without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.occupancy import occupied_sites, refuse_open_directions
from phase2.errors import InvalidCrystalError

if TYPE_CHECKING:
    from pymatgen.core import Structure


def from_pymatgen(structure: Structure, id: str) -> Crystal:  # noqa: A002 - the crystal's own field
    """Convert a pymatgen structure; oxidation states, spins, isotopes and vacant sites are dropped, the last remarked.

    Raises:
        InvalidCrystalError: A site is disordered or holds a dummy species, it is not periodic in three directions, or
            the cell is invalid.
    """
    refuse_open_directions(id, [bool(one) for one in structure.lattice.pbc])
    kept = occupied_sites(id, [_content(id, site, content.species) for site, content in enumerate(structure)])
    return Crystal.checked(id, kept.elements, structure.frac_coords[kept.sites], structure.lattice.matrix, kept.remarks)


def _content(crystal_id: str, site: int, species: Mapping[object, float]) -> list[tuple[str, float]]:
    from pymatgen.core import DummySpecies

    for kind, share in species.items():
        if share > 0 and isinstance(kind, DummySpecies):
            raise InvalidCrystalError.of(
                crystal_id, f"site {site} holds the dummy species {kind}, which is no chemical element."
            )
    return [(str(kind.symbol), float(share)) for kind, share in species.items()]  # type: ignore[attr-defined]
