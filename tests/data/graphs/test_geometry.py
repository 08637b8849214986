"""How closely atoms are packed: known values, and what must not change them."""

import numpy as np
import pytest
from hypothesis import given
from tests.data.graphs.test_quotient import DIAMOND, KNOWN, ROCK_SALT, SEEDS, SPEC, random_crystal

from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.element_properties import element_properties
from phase2.data.graphs.geometry import packing
from phase2.data.graphs.packing import pack

RADIUS = element_properties().column("covalent_radius")


def test_known_values():
    closest, filled = packing(pack([DIAMOND, ROCK_SALT], SPEC)).T
    assert closest == pytest.approx(
        [3.57 * 3**0.5 / 4 / (2 * RADIUS[6]), 5.64 / 2 / (RADIUS[11] + RADIUS[17])], rel=1e-6
    )
    spheres = 4 / 3 * np.pi * np.array([8 * RADIUS[6] ** 3, 4 * (RADIUS[11] ** 3 + RADIUS[17] ** 3)])
    assert filled == pytest.approx(spheres / np.array([3.57, 5.64]) ** 3, rel=1e-6)


@given(SEEDS)
def test_it_is_that_of_the_shortest_pair_of_atoms_of_any_cell(seed):
    crystal = random_crystal(seed)
    numbers = np.asarray(crystal.species)
    images = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), -1).reshape(-1, 3)
    apart = crystal.frac[None, :, None] + images - crystal.frac[:, None, None]
    distance = (
        np.linalg.norm(apart @ crystal.lattice, axis=-1) / (RADIUS[numbers][:, None] + RADIUS[numbers])[..., None]
    )
    (found,) = packing(pack([crystal], SPEC))
    assert found[0] == pytest.approx(distance[distance > 1e-6].min(), rel=1e-4)
    doubled = Crystal.checked(
        "doubled",
        np.tile(numbers, 2).tolist(),
        np.concatenate([crystal.frac / [2, 1, 1], crystal.frac / [2, 1, 1] + [0.5, 0, 0]]),
        crystal.lattice * [[2], [1], [1]],
    )
    assert packing(pack([doubled], SPEC))[0] == pytest.approx(found, rel=1e-4)


def test_crystals_are_chosen_by_their_rows():
    graphs = pack(KNOWN, SPEC)
    assert packing(graphs, np.array([2, 0])) == pytest.approx(packing(graphs)[[2, 0]])
    assert packing(graphs, np.array([], dtype=np.int64)).shape == (0, 2)
