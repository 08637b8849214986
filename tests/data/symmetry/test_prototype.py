"""Prototypes: the same for every choice of elements, cell, origin and axes; different for different structures."""

import numpy as np
import pytest

from phase2.data.symmetry.prototype import find_symmetry

SALT = np.array(
    [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5], [0.5] * 3]
)


def _of(species, frac, lattice):
    return find_symmetry(np.asarray(lattice, float), np.array(species), np.asarray(frac) @ np.asarray(lattice, float))


@pytest.fixture(scope="module")
def rock_salt():
    return _of([11] * 4 + [17] * 4, SALT, np.eye(3) * 5.64)


def test_elements_origin_and_cell_do_not_matter(rock_salt):
    assert rock_salt.number == 225
    others = [
        _of([9] * 4 + [3] * 4, SALT, np.eye(3) * 4.0),
        _of([11] * 4 + [17] * 4, SALT + 0.5, np.eye(3) * 5.64),
        _of([11, 17], [[0, 0, 0], [0.5, 0.5, 0.5]], np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) * 2.82),
    ]
    assert {one.prototype for one in others} == {rock_salt.prototype}


def test_other_structures_have_other_prototypes(rock_salt):
    caesium = _of([55, 17], [[0, 0, 0], [0.5, 0.5, 0.5]], np.eye(3) * 4.1)
    zinc = _of([30] * 4 + [16] * 4, np.concatenate([SALT[:4], SALT[:4] + 0.25]), np.eye(3) * 5.4)
    fluorite = _of([20] * 4 + [9] * 8, np.concatenate([SALT[:4], SALT[:4] + 0.25, SALT[:4] - 0.25]), np.eye(3) * 5.46)
    assert len({one.prototype for one in (rock_salt, caesium, zinc, fluorite)}) == 4


def test_the_axes_do_not_matter():
    lattice, frac = np.diag([4.0, 5.0, 6.0]), np.array([[0, 0, 0], [0.5, 0.5, 0], [0, 0, 0.3], [0.5, 0.5, 0.7]])
    one = _of([12, 12, 8, 8], frac, lattice)
    turned = _of([12, 12, 8, 8], frac[:, [1, 2, 0]], np.diag([5.0, 6.0, 4.0]))
    assert one == turned
