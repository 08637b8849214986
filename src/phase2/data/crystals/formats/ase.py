"""Conversion of ASE's ``Atoms``, recognised by their attributes: ASE itself is never imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phase2.data.crystals.crystal import Crystal
from phase2.errors import InvalidCrystalError


@runtime_checkable
class AtomsLike(Protocol):
    """Attributes of an ``ase.Atoms`` that are read; lengths in angstrom.

    Attributes:
        numbers: Atomic numbers, shape (N,), integers.
        positions: Cartesian positions, shape (N, 3), float64, angstrom.
        cell: Lattice vectors as rows, shape (3, 3), float64, angstrom.
        pbc: Whether the structure is periodic along each vector, shape (3,), bool.
    """

    @property
    def numbers(self) -> ArrayLike: ...  # noqa: D102

    @property
    def positions(self) -> ArrayLike: ...  # noqa: D102

    @property
    def cell(self) -> ArrayLike: ...  # noqa: D102

    @property
    def pbc(self) -> ArrayLike: ...  # noqa: D102


def from_ase(atoms: AtomsLike, id: str) -> Crystal:  # noqa: A002 - the crystal's own field
    """Convert an ASE ``Atoms`` object; constraints, momenta, charges and magnetic moments are dropped.

    Raises:
        InvalidCrystalError: It is not periodic in all three directions, holds a disordered site or a ghost atom, or
            its cell is invalid.
    """
    _refuse_open_directions(atoms, id)
    _refuse_disorder(atoms, id)
    lattice, positions = np.asarray(atoms.cell, dtype=np.float64), np.asarray(atoms.positions, dtype=np.float64)
    return Crystal.checked(id, np.asarray(atoms.numbers), _fractional(positions, lattice), lattice)


def _refuse_open_directions(atoms: AtomsLike, crystal_id: str) -> None:
    given = np.asarray(atoms.pbc, dtype=bool)
    if given.shape not in {(), (3,)}:
        raise InvalidCrystalError.of(crystal_id, f"its 'pbc' has shape {given.shape}, not three truth values.")
    periodic = np.broadcast_to(given, 3)
    if not periodic.all():
        count = int(periodic.sum())
        raise InvalidCrystalError.of(
            crystal_id,
            f"it is periodic in {count} of 3 directions (pbc = {periodic.tolist()}), and a crystal is in all.",
            "Set atoms.pbc = True if it is a crystal; the models do not cover molecules and slabs.",
        )


def _refuse_disorder(atoms: AtomsLike, crystal_id: str) -> None:
    """Refuse partial occupancies, which ASE keeps in ``info`` when it reads a disordered CIF."""
    info = getattr(atoms, "info", None)
    sites = info.get("occupancy") if isinstance(info, Mapping) else None
    for site, content in (sites or {}).items():
        if len(content) != 1 or abs(sum(content.values()) - 1) > 1e-3:
            held = " + ".join(f"{occupancy:g} {symbol}" for symbol, occupancy in content.items())
            raise InvalidCrystalError.of(
                crystal_id,
                f"the sites of kind {site} are disordered: each holds {held}, expected one whole atom.",
                "Replace the structure by an ordered approximant, or remove it.",
            )


def _fractional(positions: NDArray[np.float64], lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    try:
        return np.asarray(np.linalg.solve(lattice.T, positions.T).T, dtype=np.float64)
    except np.linalg.LinAlgError:
        return positions  # the cell has no volume, which Crystal.checked reports better
