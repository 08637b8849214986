"""The range of the packing of training crystals: what is in it, and what is said of what is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.uncertainty.packing_range import PackingRange

measures = st.lists(st.tuples(st.floats(0.1, 5), st.floats(0.01, 3)), min_size=1, max_size=50).map(np.array)


@given(measures)
def test_of_a_small_training_set_every_crystal_is_within(measured):
    assert set(PackingRange.fit(measured).remarks(measured)) == {""}


def test_of_a_large_one_a_thousandth_at_each_end_is_not():
    measured = np.random.default_rng(0).uniform(1, 2, (20_000, 2))
    outside = [text for text in PackingRange.fit(measured).remarks(measured) if text]
    assert len(outside) == pytest.approx(80, abs=8)


@pytest.mark.parametrize(
    ("closest", "filled", "says"),
    [
        (0.5, 0.6, "atoms closer than in the training set: 0.5 of the sum of their radii, 0.8 or more there"),
        (0.5, 9.0, "atoms closer than in the training set: 0.5 of the sum of their radii, 0.8 or more there"),
        (0.9, 1.5, "atoms packed more closely than in the training set: 1.5 of the volume in spheres, 1 at most there"),
        (2.0, 0.6, "atoms farther apart than in the training set: 2 of the sum of their radii, 1.2 at most there"),
        (0.9, 0.1, "emptier than in the training set: 0.1 of the volume in spheres, 0.3 or more there"),
    ],
)
def test_what_is_said_of_the_others(closest, filled, says):
    usual = PackingRange.fit(np.array([[0.8, 0.3], [1.2, 1.0]]))
    assert usual.remarks(np.array([[closest, filled], [1.0, 0.5]])) == [says, ""]
