"""Small crystals with difficult features: ties, equivalent atoms, no symmetry, no neighbours."""

from __future__ import annotations

import numpy as np

from phase2.data.crystals.crystal import Crystal

_FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def rock_salt(a: float = 5.64) -> Crystal:
    """Return NaCl in its cubic cell of 8 atoms, edge ``a`` angstrom: 6 + 12 neighbours, two species."""
    sites = np.concatenate([_FCC, _FCC + np.array([0.5, 0, 0])])
    return Crystal.checked("rock-salt", [11] * 4 + [17] * 4, sites, np.eye(3) * a)


def zinc_blende(a: float = 5.65) -> Crystal:
    """Return GaAs in its cubic cell of 8 atoms, edge ``a`` angstrom: no centre of inversion."""
    sites = np.concatenate([_FCC, _FCC + 0.25])
    return Crystal.checked("zinc-blende", [31] * 4 + [33] * 4, sites, np.eye(3) * a)


def triclinic(seed: int = 0, n_atoms: int = 5) -> Crystal:
    """Return at most 5 well separated atoms without any symmetry; the seed determines their displacements."""
    rng = np.random.default_rng(seed)
    lattice = np.array([[4.6, 0.3, -0.4], [0.5, 5.1, 0.7], [-0.6, 0.2, 5.7]])
    sites = np.concatenate([_FCC, [[0.5, 0.5, 0.5]]])[:n_atoms]
    species = [22, 8, 8, 56, 16][:n_atoms]
    return Crystal.checked(f"triclinic-{seed}", species, sites + rng.uniform(-0.06, 0.06, sites.shape), lattice)


def isolated(a: float = 9.0) -> Crystal:
    """Return one xenon atom whose nearest image, ``a`` angstrom away, is beyond the cutoff."""
    return Crystal.checked("isolated", [54], [[0, 0, 0]], np.eye(3) * a)


def assert_same_crystal(a: Crystal, b: Crystal, tolerance: float = 1e-9) -> None:
    """Compare species exactly, and positions and lattices within a tolerance."""
    np.testing.assert_array_equal(a.species, b.species)
    np.testing.assert_allclose(a.frac, b.frac, atol=tolerance)
    np.testing.assert_allclose(a.lattice, b.lattice, atol=tolerance)
