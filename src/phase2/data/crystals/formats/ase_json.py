"""Rows of ASE's JSON databases: arrays are lists, or ``{"__ndarray__": [shape, type, values]}``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.ase import AtomsLike, from_ase
from phase2.data.crystals.formats.parsing import check_atoms
from phase2.data.crystals.shown import shown
from phase2.errors import InvalidCrystalError

_LARGEST = 1e6  # of a number that is converted; Crystal.checked knows the elements


def from_ase_json(
    row: Mapping[str, object],
    id: str,  # noqa: A002 - the crystal's own field
    limits: ReadingLimits = DEFAULT_LIMITS,
) -> Crystal:
    """Build a crystal from a row of an ASE database in JSON.

    Args:
        row: ``numbers`` (N,), ``positions`` (N, 3) and ``cell`` (3, 3) in angstrom, ``pbc`` (3,), periodic in all
            directions where it is not there.
        id: Name of the crystal.
        limits: Limits of reading.

    Raises:
        LimitExceededError: It has too many atoms.
        InvalidCrystalError: A part has a wrong type, it is not periodic in three directions, or it is no valid crystal.
    """
    numbers = _array(id, "numbers", row["numbers"])
    check_atoms(id, len(numbers), limits)
    if numbers.ndim != 1 or not (np.mod(numbers, 1) == 0).all() or not (numbers < _LARGEST).all():
        raise InvalidCrystalError.of(id, f"its 'numbers' are {shown(row['numbers'])}, no list of atomic numbers.")
    cell = row.get("cell")
    if isinstance(cell, Mapping) and "array" in cell:
        cell = cell["array"]
    vectors = _array(id, "cell", cell)
    atoms = SimpleNamespace(
        numbers=numbers.astype(np.int64),
        positions=_table(id, "positions", _array(id, "positions", row["positions"])),
        cell=_table(id, "cell", np.diag(vectors) if vectors.shape == (3,) else vectors),
        pbc=_array(id, "pbc", row.get("pbc", [True, True, True])),
    )
    return from_ase(cast("AtomsLike", atoms), id)


def _array(crystal_id: str, name: str, value: object) -> NDArray[np.float64]:
    shape: object = None
    if isinstance(value, Mapping) and isinstance(packed := value.get("__ndarray__"), Sequence) and len(packed) == 3:
        shape, _, value = packed
    try:
        array = np.asarray(value, dtype=np.float64)
        found = array if shape is None else array.reshape(cast("tuple[int, ...]", shape))
    except (TypeError, ValueError, OverflowError):
        raise InvalidCrystalError.of(crystal_id, f"its '{name}' are {shown(value)}, no array of numbers.") from None
    if found.ndim == 0:
        raise InvalidCrystalError.of(crystal_id, f"its '{name}' are {shown(value)}, no array of numbers.")
    return found


def _table(crystal_id: str, name: str, array: NDArray[np.float64]) -> NDArray[np.float64]:
    if array.ndim != 2 or array.shape[1] != 3:
        raise InvalidCrystalError.of(crystal_id, f"its '{name}' have shape {array.shape}, not rows of three numbers.")
    return array
