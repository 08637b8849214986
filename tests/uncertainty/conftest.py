"""Crystals whose predictions err where training crystals are sparse, for exact statements about intervals."""

import numpy as np
import pytest

from phase2.data.targets import TargetScaler
from phase2.properties import get_property
from phase2.uncertainty.estimator import UncertaintyEstimator

PROPERTIES = (get_property("formation_energy"), get_property("bulk_modulus"))


class Made:
    """B crystals: features, labels in physical units, and predictions that err more where features are far out."""

    def __init__(self, seed, count, width=1.0):
        rng = np.random.default_rng(seed)
        radius = width * np.exp(0.35 * rng.standard_normal((count, 1)))
        self.features = (radius * rng.standard_normal((count, 24))).astype(np.float32)
        truth = self.features[:, 0] / 2
        difficulty = 0.02 + 0.1 * radius[:, 0] ** 2
        self.predictions = np.stack([truth, np.exp(4 + truth)], axis=1)
        noise = rng.standard_normal((2, count)) * difficulty
        self.targets = np.stack([truth + noise[0], np.exp(4 + truth + noise[1])], axis=1)
        self.targets[rng.random((count, 2)) < 0.2] = np.nan
        self.ids = [f"{seed}-{k}" for k in range(count)]


@pytest.fixture(scope="session")
def make():
    return Made


@pytest.fixture(scope="session")
def train():
    return Made(1, 1500)


@pytest.fixture(scope="session")
def scaler(train):
    return TargetScaler.fit(train.targets, PROPERTIES)


@pytest.fixture(scope="session")
def fit(train, scaler):
    """Fit an estimator with these validation crystals."""

    def fitted(val, features=lambda x: x):
        return UncertaintyEstimator.fit(
            scaler,
            train_features=features(train.features),
            train_labels=scaler.encode(train.targets),
            val_features=features(val.features),
            val_labels=scaler.encode(val.targets),
            val_predictions=val.predictions,
            val_ids=val.ids,
        )

    return fitted


@pytest.fixture(scope="session")
def estimator(fit):
    return fit(Made(2, 1500))
