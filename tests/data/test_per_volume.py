"""Properties that are learned as their value times the volume per atom."""

import numpy as np
import pytest

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.schema import DataConfig
from phase2.data.dataset import CrystalPropertyDataset
from phase2.data.targets import TargetScaler
from phase2.data.transforms import learned_factors
from phase2.properties import get_property, times_volume

MODULUS = times_volume(get_property("bulk_modulus"))
DIELECTRIC = times_volume(get_property("dielectric"))
KEYS = ["formation_energy", "bulk_modulus", "dielectric"]


@pytest.fixture(scope="module")
def learned():
    config = DataConfig(max_samples=600, per_volume=("bulk_modulus", "dielectric"))
    return CrystalPropertyDataset.load(config, KEYS)


@pytest.fixture(scope="module")
def plain():
    return CrystalPropertyDataset.load(DataConfig(max_samples=600), KEYS)


def test_the_moduli_of_e3nn_are_learned_so_and_cgcnn_stays_the_literatures():
    def form(algorithm, key):
        return resolve(RunRequest(algorithm=algorithm)).config.get_property(key)

    assert form("e3nn", "bulk_modulus") == MODULUS
    assert form("e3nn", "dielectric") == DIELECTRIC
    assert form("e3nn", "band_gap") == get_property("band_gap")
    assert form("cgcnn", "bulk_modulus") == get_property("bulk_modulus")


def test_the_order_and_repetitions_of_keys_change_no_configuration():
    one = DataConfig(per_volume=("dielectric", "bulk_modulus", "dielectric"))
    assert one == DataConfig(per_volume=("bulk_modulus", "dielectric"))


def test_what_is_learned_of_a_modulus_is_an_energy_per_atom():
    volume = np.array([[12.0], [40.0]])
    values = np.array([[100.0], [50.0]])
    scaler = TargetScaler.fit(values, [MODULUS], 1 / volume)
    products = (values * volume)[:, 0]
    assert scaler.mean[0] == pytest.approx(products.mean())
    assert scaler.encode(values, 1 / volume)[:, 0] == pytest.approx((products - products.mean()) / products.std())


def test_what_is_learned_of_a_dielectric_constant_is_the_logarithm_of_the_product():
    volume = np.array([[12.0], [40.0]])
    values = np.array([[3.0], [30.0]])
    scaler = TargetScaler.fit(values, [DIELECTRIC], 1 / volume)
    assert scaler.mean[0] == pytest.approx(np.log1p(values * volume).mean())


def test_labels_come_back_and_predictions_are_never_negative(learned):
    factors = learned_factors(learned.graphs, learned.properties)
    encoded = learned.scaler.encode(learned.targets, factors)
    known = ~np.isnan(learned.targets)
    decoded = learned.scaler.decode(np.nan_to_num(encoded), factors)
    assert decoded[known] == pytest.approx(learned.targets[known], rel=1e-4, abs=1e-4)
    lowest = learned.scaler.decode(np.full(encoded.shape, -50.0), factors)
    assert (lowest[:, 1:] == 0).all()


def test_labels_and_medians_are_those_of_the_values(learned, plain):
    assert np.array_equal(learned.targets, plain.targets, equal_nan=True)
    factors = learned_factors(learned.graphs, learned.properties)
    assert factors is not None
    assert learned.scaler.median == pytest.approx(plain.scaler.median)
    assert learned.scaler.baseline(factors) == pytest.approx(np.tile(plain.scaler.median, (len(factors), 1)))


def test_a_run_that_learns_otherwise_is_of_the_same_data(learned, plain):
    assert learned.fingerprint == plain.fingerprint
    assert learned.store.fingerprint == plain.store.fingerprint
    assert np.array_equal(learned.split.test, plain.split.test)


def test_factors_cannot_be_forgotten(learned):
    with pytest.raises(AssertionError, match="factors are missing"):
        learned.scaler.encode(learned.targets)
