"""Structures of OPTIMADE (specification 1.2, section "Structures Entries")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.parsing import check_atoms
from phase2.data.crystals.shown import shown
from phase2.errors import InvalidCrystalError

_CONCENTRATION_TOLERANCE = 1e-3


def from_optimade(
    structure: Mapping[str, object],
    id: str,  # noqa: A002 - the crystal's own field
    limits: ReadingLimits = DEFAULT_LIMITS,
) -> Crystal:
    """Build a crystal from the attributes of an OPTIMADE structure.

    Args:
        structure: ``lattice_vectors`` (3, 3) and ``cartesian_site_positions`` (N, 3) in angstrom,
            ``species_at_sites``, N names, and ``species``, which says what each name stands for.
        id: Name of the crystal.
        limits: Limits of reading.

    Raises:
        LimitExceededError: It has too many atoms.
        InvalidCrystalError: A part is missing or has a wrong type, it is not periodic in three directions, a site is
            disordered, or it is no valid crystal.
    """
    names = structure["species_at_sites"]
    if not isinstance(names, Sequence) or isinstance(names, str):
        raise InvalidCrystalError.of(id, f"its 'species_at_sites' are {shown(names)}, not a list.")
    check_atoms(id, len(names), limits)
    periodic = structure.get("dimension_types")
    if periodic not in (None, [1, 1, 1]):
        raise InvalidCrystalError.of(id, f"its 'dimension_types' are {shown(periodic)}, and a crystal's are [1, 1, 1].")
    elements = _elements(id, structure.get("species"))
    species = [elements.get(str(name), str(name)) for name in names]
    lattice = structure["lattice_vectors"]
    frac = _fractional(id, structure["cartesian_site_positions"], lattice)
    return Crystal.checked(id, species, frac, lattice)  # type: ignore[arg-type]


def _elements(crystal_id: str, species: object) -> dict[str, str]:
    """Return the element that each name of a species stands for."""
    if not isinstance(species, Sequence):
        return {}
    return {
        str(one["name"]): _element(crystal_id, one) for one in species if isinstance(one, Mapping) and "name" in one
    }


def _element(crystal_id: str, species: Mapping[str, object]) -> str:
    symbols, shares = species.get("chemical_symbols"), species.get("concentration", [1.0])
    attached = species.get("attached")
    if not isinstance(symbols, Sequence) or not isinstance(shares, Sequence):
        raise InvalidCrystalError.of(crystal_id, f"its species {shown(species)} has no lists of symbols and shares.")
    if attached or list(map(_rounded, shares)) != [1.0] or len(symbols) != 1:
        raise InvalidCrystalError.of(
            crystal_id,
            f"the sites of species '{species['name']}' are disordered: each holds {shown(symbols)} in the shares "
            f"{shown(shares)}"
            + (f" with {shown(attached)} attached" if attached else "")
            + ", expected one whole atom.",
            "Replace the structure by an ordered approximant, or remove it.",
        )
    return str(symbols[0])


def _rounded(share: object) -> object:
    close = isinstance(share, int | float) and abs(share - 1) <= _CONCENTRATION_TOLERANCE
    return 1.0 if close else share


def _fractional(crystal_id: str, positions: object, lattice: object) -> NDArray[np.float64]:
    try:
        vectors, cartesian = np.asarray(lattice, dtype=np.float64), np.asarray(positions, dtype=np.float64)
        return np.asarray(np.linalg.solve(vectors.T, cartesian.T).T, dtype=np.float64)
    except (TypeError, ValueError, np.linalg.LinAlgError):
        raise InvalidCrystalError.of(
            crystal_id, "its lattice_vectors or cartesian_site_positions are no tables of numbers with three columns."
        ) from None
