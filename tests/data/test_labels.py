"""Labels as they were given."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phase2.config.data.own_properties import PropertyDefinition
from phase2.data.labels import labels_as_given, without_impossible


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


def test_a_label_at_a_bound_is_possible_though_it_is_kept_with_seven_digits():
    prop = PropertyDefinition(key="share", lower=0.7, upper=0.9).as_property()  # 0.7 and 0.9 as float32 are beyond
    stored = np.array([[0.7], [0.9], [0.69], [0.91], [np.nan]], dtype=np.float32).astype(np.float64)
    stored[1] = np.nextafter(np.float32(0.9), np.float32(1))  # of 0.9000001
    ids = np.array(list("abcde"))
    kept, beyond = without_impossible(stored, [prop], ids)
    assert np.isfinite(kept[:, 0]).tolist() == [True, False, False, False, False]
    assert beyond == {"share": ("b", "c", "d")}
    tenth = PropertyDefinition(key="share", lower=0, upper=0.1).as_property()
    assert without_impossible(np.array([[np.float64(np.float32(0.1))]]), [tenth], ids[:1])[1] == {}
