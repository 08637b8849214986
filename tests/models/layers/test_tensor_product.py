"""The tensor product equals e3nn's, and every layer rotates with the crystal."""

import pytest
import torch
from e3nn import o3

from phase2.models.layers.neighbor_sum import BlockPattern, neighbor_sum
from phase2.models.layers.tensor_product import BondGeometry, TensorProduct, edge_vectors, paths


def reference(product, features, weights, batch, highest):
    """One e3nn tensor product per edge, then a plain sum."""
    channels = product.channels
    inputs = o3.Irreps([(c, (degree, (-1) ** degree)) for degree, c in enumerate(channels)])
    harmonics = o3.Irreps.spherical_harmonics(highest)
    outputs = o3.Irreps([(channels[p.l1], (p.l3, (-1) ** p.l3)) for p in product.paths])
    instructions = [(p.l1, p.l2, k, "uvu", True) for k, p in enumerate(product.paths)]
    torch.set_default_dtype(torch.float64)  # e3nn rounds its coefficients to the default
    try:
        plain = o3.TensorProduct(inputs, harmonics, outputs, instructions, shared_weights=False, internal_weights=False)
    finally:
        torch.set_default_dtype(torch.float32)
    flat = torch.cat([x.transpose(1, 2).flatten(1) for x in features], dim=1)
    vectors = edge_vectors(batch)
    directions = o3.spherical_harmonics(harmonics, vectors, normalize=True, normalization="component")
    bond = batch.edge_bond
    per_edge = plain(flat[batch.bond_sender[bond]], directions, weights[bond])
    summed = torch.zeros(len(batch.species), outputs.dim).double().index_add(0, batch.bond_receiver[bond], per_edge)
    pieces = summed.split([ir.dim for ir in outputs], dim=1)
    results: list[list[torch.Tensor]] = [[] for _ in range(highest + 1)]
    for path, piece in zip(product.paths, pieces, strict=True):
        results[path.l3].append(piece.unflatten(1, (channels[path.l1], 2 * path.l3 + 1)).transpose(1, 2))
    return [torch.cat(r, dim=2) for r in results]


@pytest.mark.parametrize(
    ("channels", "highest"), [((5,), 1), ((4, 3), 1), ((4,), 2), ((4, 3, 2), 2), ((2, 2, 2, 1), 3)]
)
def test_equals_e3nn(channels, highest, crystals):
    torch.manual_seed(0)
    product = TensorProduct(channels, highest)
    n, m = len(crystals.species), len(crystals.bond_sender)
    features = [torch.randn(n, 2 * degree + 1, c).double().requires_grad_() for degree, c in enumerate(channels)]
    weights = torch.randn(m, product.n_weights).double().requires_grad_()
    got = product(features, weights, BondGeometry.from_batch(crystals, highest))
    want = reference(product, features, weights, crystals, highest)
    assert [x.shape[2] for x in got] == list(product.channels_out)
    inputs = [*features, weights]
    cotangent = [torch.randn_like(x) for x in want]
    ours = torch.autograd.grad(got, inputs, cotangent)
    theirs = torch.autograd.grad(want, inputs, cotangent)
    torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_paths_keep_parity():
    assert [tuple(p) for p in paths(1, 1)] == [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
    assert len(paths(2, 2)) == 11


def test_neighbor_sum_gradients():
    torch.manual_seed(0)
    receiver = torch.tensor([0, 0, 0, 2, 3, 3])  # atom 1 hears of nobody
    where = BlockPattern.from_receivers(receiver, 4, 3, 5)
    blocks = torch.randn(6, 3, 5).double().requires_grad_()
    messages = torch.randn(6, 3, 2).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: neighbor_sum(a, b, where), (blocks, messages))
    plain = torch.zeros(4, 5, 2).double().index_add(0, receiver, torch.einsum("bmk,bmc->bkc", blocks, messages))
    torch.testing.assert_close(neighbor_sum(blocks, messages, where), plain)
