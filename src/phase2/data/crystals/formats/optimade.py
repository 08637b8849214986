"""Structures of OPTIMADE (specification 1.2, section "Structures Entries")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.occupancy import ORDERED, occupied_sites, refuse_open_directions
from phase2.data.crystals.formats.parsing import check_atoms
from phase2.data.crystals.shown import shown
from phase2.errors import InvalidCrystalError

_UNCERTAIN = ("implicit_atoms", "assemblies", "unknown_positions")
"""Features of structures whose list of sites is not the crystal."""


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
    refuse_open_directions(id, structure.get("dimension_types"), "dimension_types")
    _check_claims(id, structure, len(names))
    contents = _contents(id, structure.get("species"))
    unknown = next((name for name in names if contents and str(name) not in contents), None)
    if unknown is not None:
        raise InvalidCrystalError.of(id, f"its sites hold {shown(unknown)}, which is none of its species.")
    kept = occupied_sites(id, [contents.get(str(name), [(str(name), 1.0)]) for name in names])
    lattice = structure["lattice_vectors"]
    frac = _fractional(id, structure["cartesian_site_positions"], lattice)
    if len(frac) == len(names):  # Crystal.checked refuses others
        frac = frac[kept.sites]
    return Crystal.checked(id, kept.elements, frac, lattice, kept.remarks)  # type: ignore[arg-type]


def _check_claims(crystal_id: str, structure: Mapping[str, object], count: int) -> None:
    """Refuse a structure that says itself that its sites are not the whole crystal, or another number of them."""
    features = structure.get("structure_features")
    said = [one for one in _UNCERTAIN if isinstance(features, Sequence) and one in features]
    if structure.get("assemblies") and "assemblies" not in said:
        said.append("assemblies")
    if said:
        raise InvalidCrystalError.of(
            crystal_id, f"its 'structure_features' say {', '.join(said)}: its sites are not the crystal.", ORDERED
        )
    for name, expected in (("nsites", count), ("nperiodic_dimensions", 3)):
        if structure.get(name) not in (None, expected):
            raise InvalidCrystalError.of(
                crystal_id, f"its '{name}' is {shown(structure[name])}, and {expected} was expected."
            )


def _contents(crystal_id: str, species: object) -> dict[str, list[tuple[str, float]]]:
    """Return the elements that each name of a species stands for, with their shares."""
    if not isinstance(species, Sequence):
        return {}
    found: dict[str, list[tuple[str, float]]] = {}
    for one in species:
        if not isinstance(one, Mapping) or "name" not in one:
            raise InvalidCrystalError.of(crystal_id, f"its species {shown(one)} has no name.")
        name, content = str(one["name"]), _content(crystal_id, one)
        if found.setdefault(name, content) != content:
            raise InvalidCrystalError.of(crystal_id, f"two of its species are called {shown(name)}.")
    return found


def _content(crystal_id: str, species: Mapping[str, object]) -> list[tuple[str, float]]:
    symbols, shares = species.get("chemical_symbols"), species.get("concentration", [1.0])
    if (
        not isinstance(symbols, Sequence)
        or isinstance(symbols, str)
        or not isinstance(shares, Sequence)
        or len(symbols) != len(shares)
        or not all(isinstance(share, int | float) for share in shares)
    ):
        raise InvalidCrystalError.of(
            crystal_id, f"its species {shown(species)} has no lists of symbols and shares of the same length."
        )
    attached = species.get("attached") or species.get("nattached")
    if attached:
        raise InvalidCrystalError.of(
            crystal_id,
            f"the sites of species '{species['name']}' have {shown(attached)} attached, whose positions it lacks.",
            ORDERED,
        )
    return [(str(symbol), float(share)) for symbol, share in zip(symbols, shares, strict=True)]


def _fractional(crystal_id: str, positions: object, lattice: object) -> NDArray[np.float64]:
    try:
        vectors, cartesian = np.asarray(lattice, dtype=np.float64), np.asarray(positions, dtype=np.float64)
        return np.asarray(np.linalg.solve(vectors.T, cartesian.T).T, dtype=np.float64)
    except (TypeError, ValueError, np.linalg.LinAlgError):
        raise InvalidCrystalError.of(
            crystal_id, "its lattice_vectors or cartesian_site_positions are no tables of numbers with three columns."
        ) from None
