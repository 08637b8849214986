"""Records of JARVIS-DFT, as mappings and as JSON files of one record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.parsing import naming_file, read_text
from phase2.errors import DataError, InvalidCrystalError


def read_jarvis(path: Path, id: str | None = None) -> Crystal:  # noqa: A002 - the crystal's own field
    """Read a JSON file that holds one JARVIS record.

    Raises:
        DataError: The file cannot be read or is no valid JSON.
        InvalidCrystalError: It holds no valid crystal; the message names file and site.
    """
    try:
        record = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"{path} is no valid JSON.", why=f"{error}.", fix="Write the file again.") from error
    with naming_file(path):
        if not isinstance(record, dict):
            raise InvalidCrystalError.of(path.name, f"its JSON is {_shortened(record)}, not an object with 'atoms'.")
        return from_jarvis(record, path.name if id is None else id)


def from_jarvis(record: Mapping[str, object], id: str | None = None) -> Crystal:  # noqa: A002
    """Build a crystal from a JARVIS record, or from its ``atoms`` only.

    Args:
        record: ``{"jid": ..., "atoms": {"lattice_mat": (3, 3), "coords": (N, 3), "elements": N symbols,
            "cartesian": bool}}``; lengths in angstrom.
        id: Name of the crystal; ``jid`` by default.

    Raises:
        InvalidCrystalError: A part is missing, has a wrong type, or is no valid crystal.
    """
    name = str(record.get("jid", "unnamed")) if id is None else id
    atoms = record.get("atoms", record)
    if not isinstance(atoms, Mapping):
        raise InvalidCrystalError.of(
            name, f"its 'atoms' are {_shortened(atoms)}, not an object with lattice_mat, coords, elements."
        )
    try:
        lattice, coords, elements = atoms["lattice_mat"], atoms["coords"], atoms["elements"]
    except KeyError as missing:
        raise InvalidCrystalError.of(name, f"its 'atoms' have no {missing}.") from None
    if not isinstance(elements, list | tuple):
        raise InvalidCrystalError.of(name, f"its elements are {_shortened(elements)}, not a list.")
    cartesian = atoms.get("cartesian", False)
    if not isinstance(cartesian, bool):
        raise InvalidCrystalError.of(name, f"its 'cartesian' is {_shortened(cartesian)}, not true or false.")
    return Crystal.checked(name, elements, _fractional(name, coords, lattice) if cartesian else coords, lattice)


def _fractional(crystal_id: str, coords: ArrayLike, lattice: ArrayLike) -> NDArray[np.float64] | ArrayLike:
    try:
        return np.linalg.solve(np.asarray(lattice, dtype=np.float64).T, np.asarray(coords, dtype=np.float64).T).T
    except np.linalg.LinAlgError:
        return coords  # the cell has no volume, which Crystal.checked reports better
    except (TypeError, ValueError):
        raise InvalidCrystalError.of(
            crystal_id, "its lattice_mat or coords are not tables of numbers with three columns."
        ) from None


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
