"""Every layer of the equivariant model rotates with the crystal."""

import dataclasses
import math
from functools import partial

import numpy as np
import pytest
import torch
from e3nn import o3

from phase2.config.schema import EquivariantConfig
from phase2.data.batching import CrystalBatch
from phase2.models.build import build_model
from phase2.models.equivariant import Gate
from phase2.models.layers.invariants import InnerProducts, invariants
from phase2.models.layers.radial import RadialBasis, envelope
from phase2.models.layers.tensor_product import BondGeometry, TensorProduct, edge_vectors
from phase2.testing.crystals import isolated, triclinic

CONFIG = EquivariantConfig(size="medium", channels=(6, 4, 3), layers=3, radial_hidden=8, trunk=8)
WITH_PAIRS = CONFIG.model_copy(update={"element_pairs": True})
WITH_FEED_FORWARD = CONFIG.model_copy(update={"feed_forward": True})


def model(config=CONFIG):
    torch.manual_seed(0)
    return build_model(config, 2, mean_neighbors=12.0, cutoff=5.0).double()


def randomise(network):
    """Draw the weights that are zero in an untrained network."""
    for name, weight in network.named_parameters():
        if "feed_forward.last" in name or name == "heads.weight":
            torch.nn.init.normal_(weight, std=0.5)


def turned(batch, turn):
    return dataclasses.replace(batch, positions=batch.positions @ turn.T, lattice=batch.lattice @ turn.T)


def rotate(features, turn):
    """Turn features of parity (-1)^l."""
    return [
        torch.einsum("kl,nlc->nkc", o3.Irrep(degree, (-1) ** degree).D_from_matrix(turn), x)
        for degree, x in enumerate(features)
    ]


@pytest.fixture(params=[1.0, -1.0], ids=["rotation", "with reflection"])
def turn(request):
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(5)
    yield o3.rand_matrix() * request.param
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("config", [CONFIG, WITH_PAIRS, WITH_FEED_FORWARD], ids=["plain", "pairs", "feed-forward"])
def test_every_layer_is_equivariant(crystals, turn, config):
    network = model(config)
    randomise(network)
    there, here = turned(crystals, turn), crystals
    geometry = [BondGeometry.from_batch(batch, 2) for batch in (here, there)]
    elements = network.elements(here.species)
    features = moved = [elements[:, None]]
    for layer in network.layers:
        features = layer(features, elements, network.basis(geometry[0].distance), geometry[0])
        moved = layer(moved, elements, network.basis(geometry[1].distance), geometry[1])
        for want, got in zip(rotate(features, turn), moved, strict=True):
            assert want.abs().max() > 1e-3
            torch.testing.assert_close(got, want, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(invariants(features), invariants(moved), rtol=1e-6, atol=1e-6)


def test_parts_of_a_layer_are_equivariant(crystals, turn):
    channels = (5, 4, 3)
    random = [torch.randn(len(crystals.species), 2 * degree + 1, c) for degree, c in enumerate(channels)]
    layer = model().layers[1]
    product = TensorProduct(channels, 2)
    weights = torch.randn(len(crystals.bond_sender), product.n_weights)
    here, there = BondGeometry.from_batch(crystals, 2), BondGeometry.from_batch(turned(crystals, turn), 2)
    assert_close = partial(torch.testing.assert_close, rtol=1e-6, atol=1e-6)
    moved = product(rotate(random, turn), weights, there)
    assert_close(moved, rotate(product(random, weights, here), turn))
    wide = [torch.randn(4, 2 * degree + 1, c) for degree, c in enumerate((13, 4, 3))]
    gate = Gate((6, 4, 3))
    assert_close(gate(rotate(wide, turn)), rotate(gate(wide), turn))
    products = InnerProducts(4, 5)
    assert_close(products(rotate(random, turn)[1]), products(random[1]))
    narrow = [torch.randn(4, 2 * degree + 1, c) for degree, c in enumerate(CONFIG.channels)]
    mix = layer.mix_before.double()
    assert_close(mix(rotate(narrow, turn)), rotate(mix(narrow), turn))


def pair(distance=2.0):
    """Atom 0 hears of atom 1, which lies on the +x side; nobody sends to atom 1."""
    return CrystalBatch(
        species=torch.tensor([11, 17]),
        positions=torch.tensor([[0.0, 0, 0], [distance, 0, 0]]).double(),
        lattice=20 * torch.eye(3).double()[None],
        atom_crystal=torch.tensor([0, 0]),
        bond_receiver=torch.tensor([0]),
        bond_sender=torch.tensor([1]),
        edge_bond=torch.tensor([0]),
        edge_shift=torch.zeros(1, 3).double(),
        n_crystals=1,
        targets=torch.zeros(1, 0),
        index=torch.arange(1),
    )


def test_edges_point_from_receiver_to_sender():
    here = pair()
    there = dataclasses.replace(here, positions=-here.positions)
    assert edge_vectors(here).tolist() == [[2, 0, 0]]
    product = TensorProduct((1,), 1)
    ones = torch.ones(1, product.n_weights).double()
    vector, opposite = (
        product([torch.ones(2, 1, 1).double()], ones, BondGeometry.from_batch(batch, 1))[1][:, :, 0]
        for batch in (here, there)
    )
    # e3nn's order of components is (x, y, z) of the vector it is given, in its own axes: compare with it directly.
    want = o3.spherical_harmonics(1, torch.tensor([[1.0, 0, 0]]).double(), normalize=True, normalization="component")
    torch.testing.assert_close(vector[:1], want)
    torch.testing.assert_close(opposite, -vector)
    assert vector[1].abs().max() == 0  # atom 1 hears of nobody


def test_shift_moves_the_sender():
    batch = dataclasses.replace(pair(), edge_shift=torch.tensor([[-1.0, 0, 0]]).double())
    assert edge_vectors(batch).tolist() == [[-18, 0, 0]]


def test_merging_edges_to_bonds_changes_nothing(crystals):
    edges = crystals.edge_bond
    plain = dataclasses.replace(
        crystals,
        bond_receiver=crystals.bond_receiver[edges],
        bond_sender=crystals.bond_sender[edges],
        edge_bond=torch.arange(len(edges)),
    )
    assert len(crystals.bond_sender) < 0.8 * len(edges)
    network = model()
    torch.nn.init.normal_(network.heads.weight)
    torch.testing.assert_close(network(crystals), network(plain), rtol=1e-5, atol=1e-6)


def test_edges_beyond_the_cutoff_contribute_nothing(batch_of):
    network = model()
    lonely = network.features(batch_of("crystal", isolated(9.0)))[-1]
    lonelier = network.features(batch_of("crystal", isolated(12.0)))[-1]
    torch.testing.assert_close(lonely, lonelier)
    assert all(torch.isfinite(x).all() for x in lonely)


def test_features_fade_out_smoothly_at_the_cutoff():
    network = model()

    def heard(distance):
        features = network.features(pair(distance))[-1]
        return invariants(features)[0].detach()

    silence = heard(6.0)
    steps = torch.stack([heard(d) - silence for d in (4.4, 4.7, 4.9, 4.97, 4.999, 5.0, 5.1)]).norm(dim=1)
    assert steps[0] > 1e-6
    assert (steps.diff() <= 0).all()
    assert steps[4] < 1e-6 * steps[0] + 1e-12  # the envelope is cubic there: (0.001 / 0.6)^3
    assert steps[5] == steps[6] == 0


def test_the_envelope_ends_with_flat_slope_and_curvature():
    x = torch.tensor([1.0 - 1e-4]).double().requires_grad_()
    value = envelope(x, 6)
    (slope,) = torch.autograd.grad(value, x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, x)
    assert abs(value.item()) < 1e-9
    assert abs(slope.item()) < 1e-5
    assert abs(curvature.item()) < 0.1
    assert math.isclose(envelope(torch.zeros(1), 6).item(), 1.0)


def test_radial_basis_is_finite_everywhere():
    basis = RadialBasis(8, 5.0, 6)
    values = basis(torch.tensor([0.5, 2.0, 5.0, 7.0]))
    assert torch.isfinite(values).all()
    assert (values[2:] == 0).all()


def test_gradients_with_respect_to_weights_and_positions(batch_of):
    small = EquivariantConfig(size="small", channels=(2, 1), layers=2, radial_hidden=3, trunk=3)
    network = model(small)
    torch.nn.init.normal_(network.heads.weight)
    batch = batch_of("crystal", triclinic(n_atoms=2))

    def predict(positions, *_):
        return network(dataclasses.replace(batch, positions=positions))

    inputs = (batch.positions.clone().requires_grad_(), *network.layers[1].mix_messages.parameters())
    assert torch.autograd.gradcheck(predict, inputs, eps=1e-6, atol=1e-5)


def test_without_a_layer_on_atoms_the_network_is_that_of_earlier_versions():
    earlier = CONFIG.model_dump(mode="json")
    del earlier["atom_hidden"]
    with_layer = CONFIG.model_copy(update={"atom_hidden": 5})
    before, after = (dict(model(c).named_parameters()) for c in (EquivariantConfig(**earlier), with_layer))
    assert after.keys() - before.keys() == {"readout.atom_hidden.weight", "readout.atom_hidden.bias"}
    behind = ("readout.", "heads.")
    assert all(torch.equal(p, after[name]) for name, p in before.items() if not name.startswith(behind))


def test_heads_read_a_mean_of_functions_of_single_atoms(crystals):
    network = model(CONFIG.model_copy(update={"atom_hidden": 5}))
    network.eval()
    atoms = network.readout(network.features(crystals))
    read, hidden = atoms[:, :-5], atoms[:, -5:]
    torch.testing.assert_close(hidden, torch.nn.functional.silu(network.readout.atom_hidden(read)))
    first = crystals.atom_crystal == 0
    torch.testing.assert_close(network.embed(crystals)[0], atoms[first].mean(dim=0))
    assert network.heads.features == atoms.shape[1]


@pytest.mark.parametrize(("option", "added"), [("element_pairs", ".radial.pairs."), ("feed_forward", ".feed_forward.")])
def test_a_part_that_is_left_out_changes_nothing(option, added):
    earlier = CONFIG.model_dump(mode="json")
    del earlier[option]
    configs = (EquivariantConfig(**earlier), CONFIG.model_copy(update={option: True}))
    before, after = (dict(model(config).named_parameters()) for config in configs)
    new = after.keys() - before.keys()
    assert before.keys() <= after.keys()
    assert new
    assert all(added in name for name in new)


def test_radial_functions_of_each_pair_of_elements_vanish_at_the_cutoff():
    radial = model(WITH_PAIRS).layers[0].radial
    basis = RadialBasis(8, 5.0, 6)(torch.tensor([2.0, 5.0]).double())
    elements = torch.randn(3, 6).double()
    atoms = torch.tensor([0, 0]), torch.tensor([1, 1])
    near, far = radial(basis, elements, *atoms)
    assert near.abs().max() > 0
    assert far.abs().max() == 0
    others = [radial(basis, elements, *map(torch.tensor, pair))[0] for pair in (([0, 0], [2, 2]), ([1, 1], [0, 0]))]
    assert all((near - other).abs().max() > 1e-3 for other in others)


def test_a_feed_forward_block_starts_as_nothing():
    block = model(WITH_FEED_FORWARD).layers[0].feed_forward
    features = [torch.randn(5, 2 * degree + 1, c).double() for degree, c in enumerate(CONFIG.channels)]
    assert all(torch.equal(x, y) for x, y in zip(block(features), features, strict=True))


def test_untrained_models_predict_the_mean(crystals):
    assert model()(crystals).abs().max() == 0
    assert np.isfinite(model()(crystals).detach().numpy()).all()
