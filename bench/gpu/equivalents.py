"""Crystals described in several ways: turned, mirrored, moved, in another order and in other cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bench.gpu.store import SEPARATOR
from phase2.data.crystals.crystal import Crystal
from phase2.testing.crystals import isolated, rock_salt, triclinic, zinc_blende

CELLS = {
    "skewed cell": [[1, 1, 0], [0, 1, 0], [0, -1, 1]],
    "doubled cell": [[2, 0, 0], [0, 1, 0], [0, 0, 1]],
    "fourfold cell": [[1, 1, 0], [-1, 1, 0], [0, 1, 2]],
}


def equivalent_crystals() -> list[Crystal]:
    """Return small crystals, each followed by the other descriptions of it."""
    crystals = {"triclinic": triclinic(), "rock salt": rock_salt(), "zinc blende": zinc_blende(), "xenon": isolated()}
    return [version for name, crystal in crystals.items() for version in _versions(name, crystal)]


def _versions(name: str, crystal: Crystal) -> Iterator[Crystal]:
    def described(
        change: str, *, species: NDArray[np.integer], frac: NDArray[np.float64], lattice: NDArray[np.float64]
    ) -> Crystal:
        return Crystal.checked(f"{name}{SEPARATOR}{change}", species, frac, lattice)

    species, frac, lattice = crystal.species, crystal.frac, crystal.lattice
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    order = rng.permutation(crystal.n_atoms)
    yield described("as it is", species=species, frac=frac, lattice=lattice)
    yield described("rotation", species=species, frac=frac, lattice=lattice @ turn)
    yield described("reflection", species=species, frac=frac, lattice=-lattice @ turn)
    yield described("translation", species=species, frac=frac + np.array([0.37, -0.21, 0.9]), lattice=lattice)
    yield described("order of atoms", species=species[order], frac=frac[order], lattice=lattice)
    for cell, rows in CELLS.items():
        matrix = np.array(rows)
        sites = _sites(frac, matrix)
        copies = len(sites) // crystal.n_atoms
        yield described(cell, species=np.repeat(species, copies), frac=sites, lattice=matrix @ lattice)


def _sites(frac: NDArray[np.float64], matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the fractional positions in the cell ``matrix @ lattice``, all copies of an atom in a row."""
    inverse = np.linalg.inv(matrix)
    span = np.arange(-6, 7)
    points = np.stack(np.meshgrid(span, span, span), -1).reshape(-1, 3) @ inverse
    inside = points[((points > -1e-9) & (points < 1 - 1e-9)).all(axis=1)]
    sites: NDArray[np.float64] = (frac @ inverse)[:, None] + inside
    return sites.reshape(-1, 3)
