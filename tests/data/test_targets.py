"""Laws of the target scaler: a round trip, fitted to the given labels, that drops errors but keeps tails."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phase2.config.data.own_properties import PropertyDefinition
from phase2.data.targets import TargetScaler
from phase2.data.transforms import signed_expm1, signed_log1p
from phase2.errors import DataError, ModelFileError
from phase2.properties import get_property, select_properties

CORE = select_properties()
ENERGY, GAP, BULK = get_property("formation_energy"), get_property("band_gap"), get_property("bulk_modulus")

labels = arrays(np.float64, st.tuples(st.integers(1, 30), st.just(4)), elements=st.floats(0, 500, width=32))


def own(key, **words):
    return PropertyDefinition(key=key, **words).as_property()


def column(values, prop):
    return TargetScaler.fit(np.asarray(values, dtype=float)[:, None], (prop,))


@given(labels)
def test_decode_undoes_encode(values):
    scaler = TargetScaler.fit(values, CORE)
    np.testing.assert_allclose(scaler.decode(scaler.encode(values)), values, rtol=1e-4, atol=1e-3)


@given(labels)
def test_labels_are_normalised(values):
    encoded = TargetScaler.fit(values, CORE).encode(values)
    assert encoded.dtype == np.float32
    assert np.abs(encoded.mean(axis=0)).max() < 1e-3
    spread = encoded.std(axis=0)
    assert ((np.abs(spread - 1) < 1e-3) | (spread < 1e-3)).all()


@given(st.floats(-1e8, 1e8))
def test_the_logarithm_is_odd_and_invertible(x):
    x = np.array([x])
    assert signed_log1p(-x) == -signed_log1p(x)
    np.testing.assert_allclose(signed_expm1(signed_log1p(x)), x, rtol=1e-9)


def test_missing_labels_stay_missing_and_have_no_influence():
    values = np.array([[1.0, np.nan], [3.0, 5.0], [np.nan, 7.0]])
    scaler = TargetScaler.fit(values, (ENERGY, GAP))
    np.testing.assert_array_equal(np.isnan(scaler.encode(values)), np.isnan(values))
    np.testing.assert_allclose(scaler.mean, [2, 6])
    np.testing.assert_array_equal(scaler.baseline(), [2, 6])
    np.testing.assert_array_equal(scaler.training_mask(values), ~np.isnan(values))


def test_moduli_are_learned_as_logarithms():
    scaler = column([np.expm1(1.0), np.expm1(3.0)], BULK)
    np.testing.assert_allclose(scaler.mean, [2.0])
    np.testing.assert_allclose(scaler.baseline(), [(np.expm1(1) + np.expm1(3)) / 2])


def test_predictions_are_physical():
    scaler = TargetScaler.fit(np.array([[-1.0, 0.0], [1.0, 2.0]]), (ENERGY, GAP))
    decoded = scaler.decode(np.full((1, 2), -50.0, np.float32))
    assert decoded[0, 0] < -40
    assert decoded[0, 1] == 0


def test_equal_labels_have_a_scale():
    scaler = column([0.1 + 0.2, 0.3], ENERGY)
    assert scaler.std == 1
    np.testing.assert_allclose(scaler.decode(np.zeros((1, 1))), [[0.3]])


@pytest.mark.parametrize("size", [1e-31, 1e-19, 1e-9])
def test_labels_of_any_size_are_normalised(size):
    """As energies in joules and masses in kilograms are."""
    labels = size * np.array([1.0, 2.0, 4.0])
    scaler = column(labels, own("mass", unit="kg"))
    assert np.abs(scaler.encode(labels[:, None])).max() > 0.5
    np.testing.assert_allclose(scaler.decode(scaler.encode(labels[:, None]))[:, 0], labels, rtol=1e-6)


def test_labels_at_the_bounds_of_logit_are_predicted_and_inside_of_intervals():
    share = own("share", transform="logit", lower=-2, upper=6)
    labels = np.array([[-2.0], [-1.9999], [0.0], [5.9999], [6.0]])
    scaler = TargetScaler.fit(labels, (share,))
    decoded = scaler.decode(scaler.encode(labels))
    np.testing.assert_allclose(decoded[:, 0], [-2, -2, 0, 6, 6], atol=1e-6)
    wide = scaler.decode(scaler.encode(labels) + np.array([[-0.1], [0.1], [0], [-0.1], [0.1]], np.float32))
    assert wide[0, 0] == -2
    assert wide[4, 0] == 6


def test_an_outlier_is_masked_and_does_not_change_the_scale():
    rng = np.random.default_rng(0)
    good = np.exp(rng.normal(2, 0.5, 1000))
    clean, soiled = column(good, get_property("dielectric")), column([*good, 3.29e6], get_property("dielectric"))
    assert soiled.training_mask(np.array([[3.29e6]])).tolist() == [[False]]
    assert soiled.training_mask(good[:, None]).all()
    np.testing.assert_allclose([soiled.mean, soiled.std], [clean.mean, clean.std], rtol=1e-6)


def test_heavy_tails_are_kept():
    rng = np.random.default_rng(1)
    hull = np.where(rng.random(3000) < 0.6, 0.0, rng.exponential(0.05, 3000))
    hull[:40] = rng.uniform(0.5, 1.5, 40)  # one in seventy, thirty times the typical value, and real
    assert column(hull, get_property("ehull")).training_mask(hull[:, None]).all()


def test_few_labels_are_all_kept():
    values = np.array([*np.linspace(0, 1, 150), 1e9])[:, None]
    assert TargetScaler.fit(values, (ENERGY,)).training_mask(values).all()


def test_mostly_equal_labels_are_all_kept():
    values = np.zeros((1000, 1))
    values[0] = 8.0
    assert TargetScaler.fit(values, (GAP,)).training_mask(values).all()


def test_a_property_without_labels_is_named():
    with pytest.raises(DataError, match=r"No training crystal has a label for band_gap.*formation_energy"):
        TargetScaler.fit(np.array([[1.0, np.nan]]), (ENERGY, GAP))


@given(labels)
def test_survives_the_model_file(values):
    scaler = TargetScaler.fit(values, CORE)
    again = TargetScaler.from_dict(json.loads(json.dumps(scaler.to_dict())), CORE)
    np.testing.assert_array_equal(again.encode(values), scaler.encode(values))
    np.testing.assert_array_equal(again.training_mask(values), scaler.training_mask(values))
    np.testing.assert_array_equal(again.baseline(), scaler.baseline())


@pytest.mark.parametrize(
    "damage",
    [
        {"mean": None},
        {"mean": [1.0, 2.0]},
        {"mean": ["1.0"]},
        {"std": [0.0]},
        {"std": [float("nan")]},
        {"median": [float("inf")]},
        {"lower": [5.0], "upper": [-5.0]},
    ],
)
def test_damaged_numbers_are_refused(damage):
    content = column([1.0, 2.0], ENERGY).to_dict() | damage
    with pytest.raises(ModelFileError, match="normaliser"):
        TargetScaler.from_dict(content, (ENERGY,))
