"""Features of every potential: invariant, the same each time, and refused where there are none."""

import numpy as np
import pytest
import torch
from tests.foundation.potentials import features, potentials, salt

from phase2.config.foundation_models import FOUNDATION_MODELS
from phase2.config.schema import GraphSpec
from phase2.data.crystals.crystal import Crystal
from phase2.data.graphs.packing import pack
from phase2.foundation.featurizer import featurizer


@pytest.fixture(scope="module", params=potentials(*FOUNDATION_MODELS))
def model(request):
    return featurizer(request.param)


def test_they_do_not_depend_on_the_cell_its_turn_the_order_of_atoms_or_the_batch(model):
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    one = features(model, salt())[0]
    plain = salt()
    swapped = Crystal.checked("swapped", plain.species[::-1], plain.frac[::-1], plain.lattice)
    several = features(
        model, salt(turn=turn), salt(copies=2), salt("other", (12, 8)), salt(), swapped, salt("wide", edge=6.4)
    )
    for k in (0, 1, 3, 4):
        np.testing.assert_allclose(several[k], one, atol=2e-4)
    assert np.abs(several[2] - one).max() > 0.1
    np.testing.assert_allclose(several[5], features(model, salt("wide", edge=6.4))[0], atol=2e-4)


def test_they_are_the_same_bits_each_time(model):
    crystals = [salt(), salt("other", (12, 8), copies=2)]
    assert features(model, *crystals).tobytes() == features(model, *crystals).tobytes()


def test_a_crystal_with_an_unknown_element_has_none_and_is_refused_with_its_symbol(model):
    crystals = [salt(pair=(84, 8)), salt(pair=(95, 8)), salt()]
    found = features(model, *crystals)
    assert np.isfinite(found).all(axis=1).tolist() == [False, False, True]
    assert np.isnan(found[:2]).all()
    graphs, title = pack(crystals, GraphSpec()), FOUNDATION_MODELS[model.name].title
    said = [model.refusal(graphs, k) for k in range(3)]
    assert said == [f"{title} gives it no features: it does not know {one}" for one in ("Po", "Am")] + [""]


def test_they_change_no_random_state(model):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    features(model, salt())
    assert torch.equal(torch.rand(2), expected)


def test_each_potential_has_the_number_of_features_that_models_are_built_for(model):
    assert model.width == FOUNDATION_MODELS[model.name].features
    assert features(model, salt()).shape == (1, FOUNDATION_MODELS[model.name].features)
