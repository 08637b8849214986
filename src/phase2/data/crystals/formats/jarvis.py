"""Records of JARVIS-DFT, as mappings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.parsing import check_atoms
from phase2.data.crystals.shown import shown
from phase2.errors import InvalidCrystalError


def from_jarvis(
    record: Mapping[str, object],
    id: str | None = None,  # noqa: A002 - the crystal's own field
    limits: ReadingLimits = DEFAULT_LIMITS,
) -> Crystal:
    """Build a crystal from a JARVIS record, or from its ``atoms`` only.

    Args:
        record: ``{"jid": ..., "atoms": {"lattice_mat": (3, 3), "coords": (N, 3), "elements": N symbols,
            "cartesian": bool}}``; lengths in angstrom.
        id: Name of the crystal; ``jid`` by default.
        limits: Limits of reading.

    Raises:
        LimitExceededError: It has too many atoms.
        InvalidCrystalError: A part is missing, has a wrong type, or is no valid crystal.
    """
    name = str(record.get("jid", "unnamed")) if id is None else id
    atoms = record.get("atoms", record)
    if not isinstance(atoms, Mapping):
        raise InvalidCrystalError.of(
            name, f"its 'atoms' are {shown(atoms)}, not an object with lattice_mat, coords, elements."
        )
    try:
        lattice, coords, elements = atoms["lattice_mat"], atoms["coords"], atoms["elements"]
    except KeyError as missing:
        raise InvalidCrystalError.of(name, f"its 'atoms' have no {missing}.") from None
    if not isinstance(elements, list | tuple):
        raise InvalidCrystalError.of(name, f"its elements are {shown(elements)}, not a list.")
    check_atoms(name, len(elements), limits)
    cartesian = atoms.get("cartesian", False)
    if "cartesian" not in atoms and _is_beyond_cells(coords):
        raise InvalidCrystalError.of(
            name,
            "its coords lie cells away, as Cartesian positions do, and it does not say what they are.",
            "Add 'cartesian': true for angstrom, false for fractions of the lattice vectors.",
        )
    if not isinstance(cartesian, bool):
        raise InvalidCrystalError.of(name, f"its 'cartesian' is {shown(cartesian)}, not true or false.")
    return Crystal.checked(name, elements, _fractional(name, coords, lattice) if cartesian else coords, lattice)


def _is_beyond_cells(coords: ArrayLike) -> bool:
    """Tell whether a position is more than a cell away from the cell at the origin."""
    try:
        positions = np.asarray(coords, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return False
    return bool(((positions < -1) | (positions >= 2)).any())


def _fractional(crystal_id: str, coords: ArrayLike, lattice: ArrayLike) -> NDArray[np.float64] | ArrayLike:
    try:
        return np.linalg.solve(np.asarray(lattice, dtype=np.float64).T, np.asarray(coords, dtype=np.float64).T).T
    except np.linalg.LinAlgError:
        return coords  # the cell has no volume, which Crystal.checked reports better
    except (TypeError, ValueError):
        raise InvalidCrystalError.of(
            crystal_id, "its lattice_mat or coords are not tables of numbers with three columns."
        ) from None
