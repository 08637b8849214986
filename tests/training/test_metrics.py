"""Laws of the metrics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phase2.errors import RequestError
from phase2.properties import get_property
from phase2.training.metrics import evaluate, refuse_divergence, refuse_overflow, score

PROPERTIES = (get_property("band_gap"), get_property("bulk_modulus"))
NAN = float("nan")


def metrics(predictions, targets, baseline=(1.0, 1.0)):
    return evaluate(np.array(predictions, float), np.array(targets, float), PROPERTIES, np.array(baseline))


def test_by_hand():
    gap, bulk = metrics([[1.0, 9.0], [3.0, 9.0]], [[2.0, NAN], [5.0, NAN]])
    assert (gap.key, gap.unit, gap.count) == ("band_gap", "eV", 2)
    assert gap.mae == 1.5
    assert gap.rmse == pytest.approx(2.5**0.5)
    assert gap.r2 == pytest.approx(1 - 5 / 4.5)
    assert gap.baseline_mae == 2.5
    assert (bulk.count, bulk.mae, bulk.baseline_mae) == (0, None, None)
    assert score((gap, bulk)) == pytest.approx(1.5 / 2.5)


@given(arrays(np.float64, (6, 2), elements=st.floats(0, 100)))
def test_laws(targets):
    perfect = evaluate(targets, targets, PROPERTIES, np.zeros(2))
    assert [m.mae for m in perfect] == [m.rmse for m in perfect] == [0, 0]
    assert all(m.r2 in (1, None) for m in perfect)
    median = np.median(targets, axis=0)
    naive = evaluate(np.tile(median, (6, 1)), targets, PROPERTIES, median)
    assert all(m.mae == m.baseline_mae for m in naive)
    if all(m.baseline_mae for m in naive):
        assert score(naive) == 1


def test_missing_labels_do_not_matter():
    (few, _), (many, _) = metrics([[1, 0]], [[2, 1]]), metrics([[1, 0], [7, 0]], [[2, 1], [NAN, 1]])
    assert few == many


def test_labels_that_equal_the_median_decide_only_alone():
    constant, other = metrics([[1.5, 3.0]], [[1.0, 2.0]])
    assert score((constant, other)) == 1.0
    assert score((constant,)) == 0.5


def test_an_overflowing_prediction_is_the_worst_score():
    overflow, other = metrics([[np.inf, 2.0]], [[1.0, 2.5]], baseline=(0.5, 1.0))
    assert overflow.mae is None
    assert score((overflow, other)) == np.inf
    with pytest.raises(RequestError, match=r"Training diverged: the validation error of epoch 3 .*Lower --lr"):
        refuse_overflow(score((overflow, other)), epoch=3)
    assert score((other,)) < 1


def test_divergence_is_named():
    refuse_divergence(np.ones((3, 2)), what="step", epoch=4)
    with pytest.raises(RequestError, match=r"step 2 of epoch 4 is not finite.*Lower --lr"):
        refuse_divergence(np.array([1.0, NAN, np.inf]), what="step", epoch=4)
