"""Structures as pymatgen writes them to JSON (``Structure.as_dict``), also in documents of the Materials Project.

They are converted here rather than by ``Structure.from_dict``, which imports whatever module a file names in the
properties of a site.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.parsing import check_atoms
from phase2.data.crystals.shown import shown
from phase2.errors import InvalidCrystalError

_OCCUPANCY_TOLERANCE = 1e-3
_ISOTOPES = {"D": "H", "T": "H"}
# A species that carries its oxidation state in its name: Fe3+, O2-, Na+.
_CHARGED = re.compile(r"([A-Z][a-z]?)\d*\.?\d*[+-]")


def from_pymatgen_json(
    structure: Mapping[str, object],
    id: str,  # noqa: A002 - the crystal's own field
    limits: ReadingLimits = DEFAULT_LIMITS,
) -> Crystal:
    """Build a crystal from the JSON form of a pymatgen ``Structure``; oxidation states and properties are dropped.

    Args:
        structure: ``{"lattice": {"matrix": (3, 3)}, "sites": [{"species": [{"element", "occu"}], "abc": (3,)}]}``;
            lengths in angstrom.
        id: Name of the crystal.
        limits: Limits of reading.

    Raises:
        LimitExceededError: It has too many atoms.
        InvalidCrystalError: A part is missing or has a wrong type, a site is disordered, or it is no valid crystal.
    """
    lattice, sites = structure.get("lattice"), structure.get("sites")
    if not isinstance(lattice, Mapping) or "matrix" not in lattice:
        raise InvalidCrystalError.of(id, f"its 'lattice' is {shown(lattice)}, not an object with 'matrix'.")
    if not isinstance(sites, Sequence) or isinstance(sites, str):
        raise InvalidCrystalError.of(id, f"its 'sites' are {shown(sites)}, not a list.")
    check_atoms(id, len(sites), limits)
    species = [_element(id, number, site) for number, site in enumerate(sites)]
    if all("abc" in site for site in sites):
        frac: object = [site["abc"] for site in sites]
    else:
        frac = _from_cartesian(id, [site.get("xyz") for site in sites], lattice["matrix"])
    return Crystal.checked(id, species, frac, lattice["matrix"])  # type: ignore[arg-type]


def _element(crystal_id: str, number: int, site: object) -> str:
    species = site.get("species") if isinstance(site, Mapping) else None
    if not isinstance(species, Sequence) or not all(isinstance(one, Mapping) and "element" in one for one in species):
        raise InvalidCrystalError.of(crystal_id, f"site {number} is {shown(site)}, not an object with 'species'.")
    occupancies = [_occupancy(one.get("occu", 1)) for one in species]
    if len(species) != 1 or not abs(occupancies[0] - 1) <= _OCCUPANCY_TOLERANCE:
        content = " + ".join(f"{o:g} {one['element']}" for o, one in zip(occupancies, species, strict=True))
        raise InvalidCrystalError.of(
            crystal_id,
            f"site {number} is disordered: it holds {content or 'nothing'}, expected one whole atom.",
            "Replace the structure by an ordered approximant, or remove it.",
        )
    element = str(species[0]["element"])
    charged = _CHARGED.fullmatch(element)
    return _ISOTOPES.get(element, charged[1] if charged else element)


def _occupancy(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")


def _from_cartesian(crystal_id: str, xyz: object, lattice: object) -> NDArray[np.float64]:
    try:
        vectors, positions = np.asarray(lattice, dtype=np.float64), np.asarray(xyz, dtype=np.float64)
        return np.asarray(np.linalg.solve(vectors.T, positions.T).T, dtype=np.float64)
    except (TypeError, ValueError, np.linalg.LinAlgError):
        raise InvalidCrystalError.of(crystal_id, "a site has neither 'abc' nor 'xyz', or no finite ones.") from None
