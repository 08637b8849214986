"""Small crystals that the models are tried on."""

import numpy as np
import pytest
import torch

from phase2.config.schema import GraphSpec
from phase2.data.batching import collate
from phase2.data.crystal import Crystal
from phase2.data.packing import pack

FCC = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
ZINC_BLENDE = [[*x] for x in FCC] + [[a + 0.25, b + 0.25, c + 0.25] for a, b, c in FCC]


def rock_salt(a=5.64):
    shifted = [[x + 0.5, y, z] for x, y, z in FCC]
    return Crystal.checked("rock-salt", ["Na"] * 4 + ["Cl"] * 4, FCC + shifted, np.eye(3) * a)


def low_symmetry(seed=0, n=5):
    """A triclinic crystal with nothing in place, far from overlaps."""
    rng = np.random.default_rng(seed)
    lattice = np.array([[4.6, 0.3, -0.4], [0.5, 5.1, 0.7], [-0.6, 0.2, 5.7]])
    sites = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5], [0.5, 0.5, 0.5]])[:n]
    species = [22, 8, 8, 56, 16][:n]
    return Crystal.checked(f"triclinic-{seed}", species, sites + rng.uniform(-0.06, 0.06, sites.shape), lattice)


def isolated(a=9.0):
    """One atom whose nearest image is beyond the cutoff."""
    return Crystal.checked("isolated", ["Xe"], [[0, 0, 0]], np.eye(3) * a)


def zinc_blende(a=5.65):
    return Crystal.checked("zinc-blende", ["Ga"] * 4 + ["As"] * 4, ZINC_BLENDE, np.eye(3) * a)


def batch_of(view, *crystals, spec=None):
    graphs = pack(crystals, spec or GraphSpec())
    return collate(graphs, np.arange(len(crystals)), None, view).double()


@pytest.fixture(scope="session")
def crystals():
    """Full geometry, float64."""
    torch.set_num_threads(1)
    return batch_of("crystal", rock_salt(), low_symmetry(), isolated(), zinc_blende())
