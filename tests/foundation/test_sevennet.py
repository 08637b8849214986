"""Features of SevenNet: its own, invariant, and computed once per crystal."""

from typing import Any

import numpy as np
import pytest
import torch

from phase2.config.foundation_models import FOUNDATION_MODELS
from phase2.config.schema import GraphSpec
from phase2.data.crystals.crystal import Crystal
from phase2.data.graphs.packing import pack
from phase2.data.store.store import GraphStore
from phase2.foundation import cache
from phase2.foundation.cache import cached_features
from phase2.foundation.featurizer import featurizer


def _salt(name="salt", pair=(11, 17), edge=4.0, turn=None, copies=1):
    lattice = np.eye(3) * edge
    positions = np.array([[0.0, 0.0, 0.05], [0.5, 0.5, 0.5]])
    if copies == 2:
        positions = np.concatenate([positions, np.add(positions, [1, 0, 0])]) / [2, 1, 1]
        lattice = lattice * [[2], [1], [1]]
        pair = (*pair, *pair)
    return Crystal.checked(name, pair, positions, lattice if turn is None else lattice @ turn.T)


@pytest.fixture(scope="module")
def model():
    return featurizer("sevennet-0")


def features(model, *crystals):
    return model.features(pack(crystals, GraphSpec()), np.arange(len(crystals)))


def test_they_are_those_of_its_own_calculator(model):
    from ase import Atoms
    from sevenn.calculator import SevenNetCalculator

    crystal = _salt()
    calculator = SevenNetCalculator("7net-0", device="cpu")
    caught = []
    gate = calculator.model._modules["4_equivariant_gate"]
    gate.register_forward_hook(lambda module, given, out: caught.append(out["x"].detach()))
    Atoms(
        crystal.species, positions=crystal.cartesian, cell=crystal.lattice, pbc=True, calculator=calculator
    ).get_potential_energy()
    found = features(model, crystal)[0]
    assert found.shape == (2048,)
    np.testing.assert_allclose(found[896:1024], caught[0].mean(dim=0).numpy(), atol=1e-5)
    np.testing.assert_allclose(found[1920:], caught[0].std(dim=0, correction=0).numpy(), atol=1e-5)


def test_they_do_not_depend_on_the_cell_its_turn_or_the_batch(model):
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    one = features(model, _salt())[0]
    several = features(model, _salt(turn=turn), _salt(copies=2), _salt("other", (12, 8)), _salt())
    for k in (0, 1, 3):
        np.testing.assert_allclose(several[k], one, atol=2e-4)
    assert np.abs(several[2] - one).max() > 0.1


def test_a_crystal_with_an_unknown_element_has_none(model):
    found = features(model, _salt(pair=(84, 8)), _salt())
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


@pytest.fixture
def store(tmp_path):
    graphs = pack([_salt(f"salt-{k}", edge=4 + k / 100) for k in range(7)], GraphSpec())
    return GraphStore(graphs, (), (), tmp_path / "store", "f" * 64)


class Counted:
    """A potential that counts the crystals it computes, and fails after some."""

    def __init__(self, model, most=100):
        self._model, self.left, self.name = model, most, model.name
        self.digest, self.width = model.digest, model.width
        self.seen = []

    def features(self, graphs, index):
        if self.left <= 0:
            raise KeyboardInterrupt
        self.left -= 1
        self.seen += index.tolist()
        return self._model.features(graphs, index)


def test_each_crystal_is_computed_once_and_an_interruption_loses_nothing(model, store, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "CHUNK", 2)
    stopped: Any = Counted(model, most=2)
    with pytest.raises(KeyboardInterrupt):
        cached_features(store, np.arange(6), stopped, cache_dir=tmp_path)
    assert len(stopped.seen) == 4
    rest: Any = Counted(model)
    told: list[tuple[int, int | None]] = []
    rows = cached_features(
        store, np.arange(7), rest, cache_dir=tmp_path, progress=lambda done, total: told.append((done, total))
    )
    assert sorted(stopped.seen + rest.seen) == list(range(7))
    assert told[-1] == (7, 7)
    np.testing.assert_allclose(rows, model.features(store.graphs, np.arange(7)), atol=1e-5)
    again: Any = Counted(model, most=0)
    np.testing.assert_array_equal(cached_features(store, np.arange(7), again, cache_dir=tmp_path), rows)


def test_it_changes_no_random_state(model):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    features(model, _salt())
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("name", FOUNDATION_MODELS)
def test_each_potential_has_the_number_of_features_that_models_are_built_for(name):
    assert featurizer(name).width == FOUNDATION_MODELS[name].features
    assert features(featurizer(name), _salt()).shape == (1, FOUNDATION_MODELS[name].features)
