"""Crystals and potentials that the tests of features share."""

from importlib.util import find_spec

import numpy as np
import pytest

from phase2.config.foundation_models import FOUNDATION_MODELS
from phase2.config.schema import GraphSpec
from phase2.data.crystals.crystal import Crystal
from phase2.data.graphs.packing import pack

NOT_INSTALLED = "chgnet is not installed; make setup does so where it has a wheel (constraints/chgnet.in)."


def potentials(*names):
    """Potentials as parameters of a test, skipped where the package of one is not installed."""
    without = pytest.mark.skipif(find_spec("chgnet") is None, reason=NOT_INSTALLED)
    return [pytest.param(one, marks=[without] if FOUNDATION_MODELS[one].package == "chgnet" else []) for one in names]


def salt(name="salt", pair=(11, 17), edge=4.0, turn=None, copies=1):
    lattice = np.eye(3) * edge
    positions = np.array([[0.0, 0.0, 0.05], [0.5, 0.5, 0.5]])
    if copies == 2:
        positions = np.concatenate([positions, np.add(positions, [1, 0, 0])]) / [2, 1, 1]
        lattice = lattice * [[2], [1], [1]]
        pair = (*pair, *pair)
    return Crystal.checked(name, pair, positions, lattice if turn is None else lattice @ turn.T)


def features(model, *crystals):
    return model.features(pack(crystals, GraphSpec()), np.arange(len(crystals)))
