"""Labels as they were given."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phase2.data.labels import labels_as_given


@given(st.integers(-999_999, 999_999), st.integers(-8, 6))
def test_labels_of_six_digits_come_back_as_they_were_given(digits, power):
    label = float(f"{digits}e{power}")
    stored = np.array([label, np.nan], dtype=np.float32)
    for kept in (stored, stored.astype(np.float64)):
        np.testing.assert_equal(labels_as_given(kept), [label, np.nan])


def test_numbers_that_no_float32_has_stay_as_they_are():
    exact = np.array([[1.123456789012, -2.0], [np.inf, np.nan]])
    np.testing.assert_equal(labels_as_given(exact), exact)
    assert labels_as_given(exact).dtype == np.float64
    assert labels_as_given(np.empty((0, 3), dtype=np.float32)).shape == (0, 3)
