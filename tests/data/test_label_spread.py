"""Labels that teach nothing, lie far from all others or are kept too coarsely are remarked on."""

import numpy as np
import pytest

from phase2.config.data.own_properties import PropertyDefinition
from phase2.data.label_remarks import find_sentinels, refuse_sentinels
from phase2.data.label_spread import spread_remarks
from phase2.errors import DataError
from phase2.properties import get_property

SPREAD = np.linspace(5, 75, 40)


def own(**words):
    return PropertyDefinition(key="cv", **words).as_property()


def given(values, prop):
    column = np.asarray(values, dtype=np.float32).astype(np.float64)[:, None]
    return column, (prop,), np.array([f"x{k}" for k in range(len(column))])


@pytest.mark.parametrize(
    ("prop", "value", "said"),
    [
        (get_property("band_gap"), 1.5, "band_gap: all 12 labels are 1.5"),
        (own(), 1e-60, "cv: all 12 labels are 0"),
        (own(task="binary"), 1, "cv: all 12 labels are true"),
        (own(task="binary"), 0, "cv: all 12 labels are false"),
    ],
)
def test_equal_labels_are_remarked_on(prop, value, said):
    (remark,) = spread_remarks(*given([np.nan, *[value] * 12], prop))
    assert remark.startswith(said)
    assert spread_remarks(*given([value, 1 - value], prop)) == []
    assert spread_remarks(*given([value], prop)) == []


@pytest.mark.parametrize("prop", [own(), own(transform="asinh"), own(lower=0), get_property("bulk_modulus")])
def test_an_ordinary_spread_is_not_remarked_on(prop):
    assert spread_remarks(*given(SPREAD, prop)) == []
    assert spread_remarks(*given(np.random.default_rng(0).normal(50, 9, 5_000), prop)) == []


def test_labels_far_from_the_others_are_named():
    (remark,) = spread_remarks(*given([*SPREAD, 1e30, -5e6], own(unit="K")))
    assert "2 of 42 labels are far from the others: 1e+30 (x40), -5e+06 (x41)." in remark
    assert "log1p" in remark
    assert spread_remarks(*given([*SPREAD, 1e30], own(upper=2e30))) == []
    assert spread_remarks(*given(10.0 ** (SPREAD / 3), own(transform="log1p"))) == []


def test_labels_that_differ_by_less_than_they_are_kept_with_are_named():
    (remark,) = spread_remarks(*given(1e6 + np.arange(40) / 4, own(unit="eV", per="cell")))
    assert "in steps of 0.06" in remark
    assert "subtract a reference value" in remark


@pytest.mark.parametrize("word", [-999, 9999, 1e30, -1e10])
def test_numbers_for_missing_labels_are_refused_beyond_what_the_others_span(word):
    labels = given([*SPREAD, word, word, word], own())
    (found,) = find_sentinels(*labels)
    assert (found.count, found.first) == (3, "x40")
    with pytest.raises(DataError, match="stands for a missing value") as refused:
        refuse_sentinels(*labels)
    assert "give cv bounds that include them" in refused.value.fix
    refuse_sentinels(*given([*SPREAD, word, word, word], own(lower=-2e30, upper=2e30)))
    refuse_sentinels(*given([*SPREAD, word, word], own()))


def test_a_word_among_other_numbers_is_a_number():
    refuse_sentinels(*given([*-20 * SPREAD, -999, -999, -999], own()))
    refuse_sentinels(*given([1e12, 1e12, 1e12, 2e12], own()))
