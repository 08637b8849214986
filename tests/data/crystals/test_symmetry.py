"""Space groups of crystals whose symmetry is known."""

import numpy as np
import pytest

from phase2.data.crystals.symmetry import TOLERANCE, UNKNOWN, space_group
from phase2.testing.crystals import isolated, rock_salt, triclinic, zinc_blende


def group_of(crystal, shift=0.0):
    positions = crystal.cartesian.copy()
    positions[0] += shift
    # As the graphs hold them.
    return space_group(crystal.lattice.astype(np.float32), crystal.species, positions.astype(np.float32))


@pytest.mark.parametrize(
    ("crystal", "number"), [(rock_salt(), 225), (zinc_blende(), 216), (triclinic(), 1), (isolated(), 221)]
)
def test_known_space_groups(crystal, number):
    assert group_of(crystal) == number


def test_an_atom_off_its_site_within_the_tolerance_changes_nothing():
    assert group_of(rock_salt(), 0.1 * TOLERANCE) == 225
    assert group_of(rock_salt(), 20 * TOLERANCE) != 225


def test_what_has_no_symmetry_that_can_be_found_is_unknown():
    lattice = np.eye(3, dtype=np.float32) * 4
    assert space_group(lattice, np.array([11, 11]), np.zeros((2, 3), np.float32)) == UNKNOWN  # two atoms on one site
