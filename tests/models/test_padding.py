"""Padded batches give the outputs, gradients and statistics of the batches themselves, in both networks."""

import copy

import numpy as np
import pytest
import torch

from phase2.config.foundation_models import foundation_model
from phase2.config.schema import CgcnnConfig, EquivariantConfig, FoundationConfig, GraphSpec
from phase2.data.batching import collate
from phase2.data.graphs.packing import pack
from phase2.data.padding.pad import pad
from phase2.data.padding.shape import BatchShape
from phase2.models.build import build_model
from phase2.models.layers.gated_sum import Links
from phase2.models.with_features import WithFeatures
from phase2.testing.crystals import isolated, rock_salt, triclinic, zinc_blende
from phase2.training.objective import LabelWeights, property_losses

CGCNN = CgcnnConfig(preset="small", width=16, convolutions=2, gaussians=12, trunk=16)
E3NN = EquivariantConfig(
    size="small",
    channels=(8, 6, 4),
    layers=2,
    trunk=16,
    second_order=3,
    readout_layers="all",
    atom_hidden=8,
    element_pairs=True,
    feed_forward=True,
)
EXACT = 1e-12
CLOSE = 1e-6


@pytest.fixture(scope="module")
def graphs():
    return pack([rock_salt(), triclinic(), isolated(), zinc_blende(), triclinic(1)], GraphSpec())


@pytest.fixture(scope="module")
def labels():
    """Three properties of five crystals; half of the labels are missing, one crystal has none."""
    values = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    values[[0, 1, 2, 4, 4, 4, 3], [1, 0, 2, 0, 1, 2, 0]] = np.nan
    return values


@pytest.fixture(params=[CGCNN, E3NN], ids=["cgcnn", "e3nn"])
def model(request):
    torch.manual_seed(0)
    model = build_model(request.param, 3, 12.0, 5.0)
    torch.nn.init.normal_(model.heads.weight, std=0.3)
    return model


def padded(batch, more):
    shape = BatchShape.of(batch)
    return pad(batch, BatchShape(*(size + extra for size, extra in zip(shape, more, strict=True))))


def gap(found, expected):
    """Largest difference relative to the largest value."""
    scale = expected.detach().abs().max().item() or 1.0
    return (found - expected).detach().abs().max().item() / scale


def assert_same_slopes(found, expected, most):
    """Compare gradients relative to the largest of all: some are zero but for rounding."""
    assert found.keys() == expected.keys()
    largest = max(slope.abs().max().item() for slope in expected.values())
    for name, slope in expected.items():
        assert (found[name] - slope).abs().max().item() <= most * largest, name


def pass_of(model, batch, mode, weights=None):
    """Predictions, losses, gradients and the statistics afterwards, on a copy of the model."""
    network = copy.deepcopy(model).train(mode == "train")
    predictions = network(batch)
    losses = property_losses(predictions, batch.targets, "huber", weights)
    losses.mean().backward()
    slopes = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    return predictions[: batch.n_real].detach(), losses, slopes, dict(network.named_buffers())


@pytest.mark.parametrize("more", [(1, 1, 1, 0), (1, 8, 200, 0), (3, 50, 17, 300)])
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("most", [EXACT, CLOSE], ids=["double", "single"])
def test_padding_changes_nothing(model, graphs, labels, more, mode, most):
    batch = collate(graphs, np.array([3, 0, 2, 4, 1]), labels, model.view)
    if model.view == "quotient":
        more = (*more[:3], 0)
    if most == EXACT:
        model, batch = model.double(), batch.double()
    weights = LabelWeights.from_labels(batch.targets, 2, 0.5) if mode == "train" else None
    if weights is not None and most == EXACT:
        weights = LabelWeights(weights.expected.double(), weights.weight.double())
    expected = pass_of(model, batch, mode, weights)
    found = pass_of(model, padded(batch, more), mode, weights)
    assert gap(found[0], expected[0]) <= most
    assert gap(found[1].values, expected[1].values) <= most
    for name in ("present", "weight", "share"):
        assert torch.equal(getattr(found[1], name), getattr(expected[1], name))
    assert_same_slopes(found[2], expected[2], most)
    for name, buffer in expected[3].items():
        assert gap(found[3][name], buffer) <= most, name


def test_integer_sums_are_equal_bit_for_bit(graphs):
    batch = collate(graphs, np.array([3, 0, 2, 4, 1]), None, "quotient")
    plain, filled = Links.from_batch(batch), Links.from_batch(padded(batch, (1, 3, 40, 0)))
    assert torch.equal(plain.edges, filled.edges)
    assert torch.equal(plain.share, filled.share[: len(plain.share)])
    assert filled.share[len(plain.share) :].eq(0).all()


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("which", [2, 0], ids=["an atom without neighbours", "a crystal"])
def test_a_batch_of_one_crystal(model, graphs, labels, mode, which):
    batch = collate(graphs, np.array([which]), labels, model.view).double()
    model = model.double()
    expected, found = (pass_of(model, b, mode) for b in (batch, padded(batch, (2, 9, 30, 0))))
    assert gap(found[0], expected[0]) <= EXACT
    assert_same_slopes(found[2], expected[2], EXACT)
    for name, buffer in expected[3].items():
        assert gap(found[3][name], buffer) <= EXACT, name


def test_unknown_features_of_the_padding_reach_nothing(graphs, labels):
    torch.manual_seed(0)
    config = FoundationConfig(name="sevennet-0", use="beside", width=8)
    width = foundation_model(config.name).features
    network = build_model(CGCNN, 3, 12.0, 5.0)
    model = WithFeatures(
        config, width, trunk=16, n_properties=3, network=network, channels=network.heads.features
    ).double()
    torch.nn.init.normal_(model.heads.weight, std=0.3)
    features = np.random.default_rng(1).normal(size=(5, width)).astype(np.float32)
    batch = collate(graphs, np.arange(5), labels, model.view, features).double()
    expected, found = (pass_of(model, b, "train") for b in (batch, padded(batch, (2, 9, 30, 0))))
    assert gap(found[0], expected[0]) <= EXACT
    assert_same_slopes(found[2], expected[2], EXACT)
