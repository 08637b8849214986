"""Ordered crystals as plain arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phase2.data.crystals.elements import ATOMIC_NUMBERS, SYMBOLS, nearest_symbol, reduced_formula
from phase2.data.crystals.shown import shown
from phase2.errors import InvalidCrystalError

if TYPE_CHECKING:
    from pymatgen.core import Structure

# Close-packed spheres 0.5 angstrom apart, the smallest distance of two atoms, take 0.09 cubic angstrom each.
MIN_VOLUME_PER_ATOM = 0.09


@dataclass(frozen=True, slots=True, eq=False)
class Crystal:
    """Ordered crystal: every site holds exactly one atom. Build it with ``Crystal.checked``.

    Attributes:
        id: Name of the crystal, unique in its data set.
        species: Atomic numbers, shape (N,), uint8, 1 to 118.
        frac: Fractional positions, shape (N, 3), float64, wrapped into [0, 1).
        lattice: Lattice vectors as rows, shape (3, 3), float64, angstrom.
        remarks: What was assumed or left out in reading it, in clauses for people: a vacant site, a space group that is
            known by its number alone.
    """

    id: str
    species: NDArray[np.uint8]
    frac: NDArray[np.float64]
    lattice: NDArray[np.float64]
    remarks: tuple[str, ...] = ()

    @classmethod
    def checked(
        cls,
        id: str,  # noqa: A002 - the field's own name
        species: Sequence[str] | Sequence[int] | NDArray[np.integer],
        frac: ArrayLike,
        lattice: ArrayLike,
        remarks: Sequence[str] = (),
    ) -> Crystal:
        """Build a crystal from unchecked input, or report why it is none.

        Distances between atoms are checked later, by the neighbour search, which computes them.

        Args:
            id: Name of the crystal, for error messages too.
            species: Chemical symbols or atomic numbers, N of them.
            frac: Fractional positions, shape (N, 3).
            lattice: Lattice vectors as rows, shape (3, 3), angstrom.
            remarks: What was assumed or left out in reading it.

        Raises:
            InvalidCrystalError: No atoms, an unknown element, a number that is not finite, shapes that do not match,
                or a cell without volume.
        """
        numbers = _numbers(id, species)
        vectors = _array(id, lattice, (3, 3), "lattice")
        positions = _array(id, frac, (len(numbers), 3), "positions")
        _check_cell(id, vectors, len(numbers))
        if not np.isfinite(positions).all():
            site = int(np.flatnonzero(~np.isfinite(positions).all(axis=1))[0])
            raise InvalidCrystalError.of(
                id, f"site {site} ({SYMBOLS[numbers[site] - 1]}) is at {positions[site].tolist()}, no finite position."
            )
        wrapped = positions - np.floor(positions)
        wrapped[wrapped >= 1.0] = 0.0  # -1e-17 is rounded up to 1
        return cls(id, numbers, wrapped, vectors, tuple(remarks))

    @property
    def n_atoms(self) -> int:
        """Number of atoms in the cell, N."""
        return len(self.species)

    @property
    def volume(self) -> float:
        """Volume of the cell, cubic angstrom."""
        return abs(_determinant(self.lattice))

    @property
    def cartesian(self) -> NDArray[np.float64]:
        """Cartesian positions, shape (N, 3), angstrom."""
        return self.frac @ self.lattice

    @property
    def symbols(self) -> tuple[str, ...]:
        """Chemical symbol of every atom."""
        return tuple(SYMBOLS[z - 1] for z in self.species.tolist())

    @property
    def formula(self) -> str:
        """Reduced formula, elements in alphabetical order: ``Fe2O3``."""
        return reduced_formula(self.species.tolist())

    def to_pymatgen(self) -> Structure:
        """Convert to a pymatgen structure."""
        from pymatgen.core import Lattice, Structure

        return Structure(Lattice(self.lattice), self.symbols, self.frac)


def _numbers(crystal_id: str, species: Sequence[str] | Sequence[int] | NDArray[np.integer]) -> NDArray[np.uint8]:
    try:
        given: list[object] = species.tolist() if isinstance(species, np.ndarray) else list(species)
    except TypeError:
        raise InvalidCrystalError.of(crystal_id, f"its species are {shown(species)}, not a list.") from None
    if not given:
        raise InvalidCrystalError.of(crystal_id, "it has no atoms.")
    try:
        return np.array([ATOMIC_NUMBERS[symbol] for symbol in given], dtype=np.uint8)  # type: ignore[index]
    except (KeyError, TypeError):
        return np.array([_number(crystal_id, site, value) for site, value in enumerate(given)], dtype=np.uint8)


def _number(crystal_id: str, site: int, value: object) -> int:
    if isinstance(value, str) and value.strip() in ATOMIC_NUMBERS:
        return ATOMIC_NUMBERS[value.strip()]
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= len(SYMBOLS):
        return value
    nearest = nearest_symbol(value) if isinstance(value, str) else None
    hint = f" Did you mean '{nearest}'?" if nearest else ""
    raise InvalidCrystalError.of(crystal_id, f"site {site} holds {shown(value)}, which is no chemical element.{hint}")


def _array(crystal_id: str, values: ArrayLike, shape: tuple[int, int], what: str) -> NDArray[np.float64]:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InvalidCrystalError.of(crystal_id, f"its {what} are not a table of numbers with shape {shape}.") from None
    if array.shape != shape:
        raise InvalidCrystalError.of(crystal_id, f"its {what} have shape {array.shape}, not {shape}.")
    return array


def _check_cell(crystal_id: str, lattice: NDArray[np.float64], n_atoms: int) -> None:
    volume = abs(_determinant(lattice))
    if not math.isfinite(volume):  # one entry that is not finite makes the determinant so too
        raise InvalidCrystalError.of(crystal_id, f"its lattice {lattice.tolist()} holds a number that is not finite.")
    if volume < MIN_VOLUME_PER_ATOM * n_atoms:
        raise InvalidCrystalError.of(
            crystal_id, f"its cell has a volume of {volume:.3g} cubic angstrom for {n_atoms} atom(s)."
        )


def _determinant(lattice: NDArray[np.float64]) -> float:
    # Plain floats: ten times as fast as numpy.linalg.det for one matrix, and this runs for every crystal of a data set.
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = lattice.tolist()
    return float(ax * (by * cz - bz * cy) - ay * (bx * cz - bz * cx) + az * (bx * cy - by * cx))
