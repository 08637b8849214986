"""Structures as pymatgen writes them to JSON (``Structure.as_dict``), also in documents of the Materials Project.

They are converted here rather than by ``Structure.from_dict``, which imports whatever module a file names in the
properties of a site.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.occupancy import occupied_sites, refuse_open_directions
from phase2.data.crystals.formats.parsing import check_atoms
from phase2.data.crystals.shown import shown
from phase2.errors import InvalidCrystalError

_ISOTOPES = {"D": "H", "T": "H"}
# A species that carries its oxidation state in its name: Fe3+, O2-, Na+.
_CHARGED = re.compile(r"([A-Z][a-z]?)\d*\.?\d*[+-]")

# Statements of one structure agree within these: a length by a hundredth, an angle by a degree, a position in angstrom.
_LENGTH, _ANGLE, _DISTANCE = 0.01, 1.0, 0.05
_ONE = "Leave out the one that is wrong."


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
        InvalidCrystalError: A part is missing or has a wrong type, a site is disordered, two statements
            contradict each other, it is not periodic in three directions, or it is no valid crystal.
    """
    lattice, sites = structure.get("lattice"), structure.get("sites")
    if not isinstance(lattice, Mapping) or "matrix" not in lattice:
        raise InvalidCrystalError.of(id, f"its 'lattice' is {shown(lattice)}, not an object with 'matrix'.")
    if not isinstance(sites, Sequence) or isinstance(sites, str):
        raise InvalidCrystalError.of(id, f"its 'sites' are {shown(sites)}, not a list.")
    check_atoms(id, len(sites), limits)
    refuse_open_directions(id, lattice.get("pbc"))
    kept = occupied_sites(id, [_content(id, number, site) for number, site in enumerate(sites)])
    matrix = lattice["matrix"]
    if all("abc" in site for site in sites):
        frac: object = [sites[k]["abc"] for k in kept.sites]
        if all("xyz" in site for site in sites):
            _check_positions(id, frac, [sites[k]["xyz"] for k in kept.sites], matrix, kept.sites)
    else:
        frac = _from_cartesian(id, [sites[k].get("xyz") for k in kept.sites], matrix)
    _check_lattice(id, lattice)
    return Crystal.checked(id, kept.elements, frac, matrix, kept.remarks)  # type: ignore[arg-type]


def _content(crystal_id: str, number: int, site: object) -> list[tuple[str, float]]:
    species = site.get("species") if isinstance(site, Mapping) else None
    if not isinstance(species, Sequence) or not all(isinstance(one, Mapping) and "element" in one for one in species):
        raise InvalidCrystalError.of(crystal_id, f"site {number} is {shown(site)}, not an object with 'species'.")
    return [(_symbol(str(one["element"])), _occupancy(one.get("occu", 1))) for one in species]


def _symbol(element: str) -> str:
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


def _check_lattice(crystal_id: str, lattice: Mapping[str, object]) -> None:
    """Refuse a lattice whose lengths and angles, where they are there, are not those of its vectors."""
    vectors = _table(lattice["matrix"])
    if vectors is None or vectors.shape != (3, 3) or not np.isfinite(vectors).all():
        return  # Crystal.checked says what is wrong with it
    lengths = np.linalg.norm(vectors, axis=1)
    for name, length in zip("abc", lengths.tolist(), strict=True):
        _compare(crystal_id, name, lattice.get(name), length, _LENGTH * length)
    for name, (i, j) in {"alpha": (1, 2), "beta": (0, 2), "gamma": (0, 1)}.items():
        if lengths[i] * lengths[j] > 0:
            cosine = float(vectors[i] @ vectors[j] / (lengths[i] * lengths[j]))
            _compare(crystal_id, name, lattice.get(name), math.degrees(math.acos(max(-1.0, min(1.0, cosine)))), _ANGLE)


def _compare(crystal_id: str, name: str, said: object, found: float, tolerance: float) -> None:
    if isinstance(said, int | float) and not abs(said - found) <= tolerance:
        raise InvalidCrystalError.of(
            crystal_id, f"its lattice says {name} = {said:g}, and its 'matrix' has {name} = {found:g}.", _ONE
        )


def _check_positions(crystal_id: str, abc: object, xyz: object, lattice: object, sites: Sequence[int]) -> None:
    """Refuse sites whose fractional and Cartesian positions are, up to the lattice, not the same."""
    frac, cartesian, vectors = _table(abc), _table(xyz), _table(lattice)
    shape = (len(sites), 3)
    if frac is None or vectors is None or frac.shape != shape or vectors.shape != (3, 3):
        return  # Crystal.checked says what is wrong with them
    if cartesian is None or cartesian.shape != shape:
        raise InvalidCrystalError.of(crystal_id, "the 'xyz' of its sites are no rows of three numbers.")
    try:
        apart = np.linalg.solve(vectors.T, (frac @ vectors - cartesian).T).T
    except np.linalg.LinAlgError:
        return
    away = np.linalg.norm((apart - np.round(apart)) @ vectors, axis=1)
    if not (away <= _DISTANCE).all() and np.isfinite(frac).all():
        number = sites[int(np.argmax(~(away <= _DISTANCE)))]
        raise InvalidCrystalError.of(crystal_id, f"'abc' and 'xyz' of site {number} are different places.", _ONE)


def _table(values: object) -> NDArray[np.float64] | None:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
