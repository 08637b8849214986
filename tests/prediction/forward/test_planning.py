"""Crystals are divided into batches of few crystals and few atoms, and dealt so that batches are alike."""

import itertools

import numpy as np
import pytest

from phase2.prediction.forward.planning import MOST_ATOMS, alike_batches, consecutive_batches


@pytest.fixture
def atoms():
    return np.random.default_rng(0).integers(1, 400, 500)


def test_consecutive_batches_keep_the_order_and_the_limits(atoms):
    batches = consecutive_batches(atoms, 150)
    assert np.concatenate(batches).tolist() == list(range(500))
    assert all(len(batch) <= 150 and atoms[batch].sum() <= MOST_ATOMS for batch in batches)
    assert all(
        len(one) == 150 or atoms[one].sum() + atoms[other[0]] > MOST_ATOMS for one, other in itertools.pairwise(batches)
    ), "as few as there can be"


def test_a_crystal_beyond_the_limit_is_alone():
    batches = consecutive_batches(np.array([3, MOST_ATOMS + 1, 4, 5]), 64)
    assert [batch.tolist() for batch in batches] == [[0], [1], [2, 3]]


def test_no_crystal_has_no_batch():
    none = np.empty(0, np.int64)
    assert consecutive_batches(none, 64) == alike_batches(none, none, 64) == []


def test_dealt_batches_are_alike_and_hold_each_crystal_once(atoms):
    work = np.random.default_rng(1).lognormal(5, 1, 500).astype(np.int64)
    batches = alike_batches(work, atoms // 100, 32)
    assert sorted(np.concatenate(batches).tolist()) == list(range(500))
    assert all(len(batch) <= 32 and (np.diff(batch) > 0).all() for batch in batches)
    dealt, plain = ([work[batch].sum() for batch in some] for some in (batches, consecutive_batches(atoms // 100, 32)))
    assert max(dealt) / np.mean(dealt) < 1.1 < max(plain) / np.mean(plain)


def test_dealt_batches_keep_to_the_limit_of_atoms():
    atoms = np.full(200, 300)
    batches = alike_batches(atoms, atoms, 100)
    assert sorted(np.concatenate(batches).tolist()) == list(range(200))
    assert all(atoms[batch].sum() <= MOST_ATOMS for batch in batches)
