"""The fused tensor product is the plain one, in Triton's interpreter on the CPU."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.schema import EquivariantConfig, GraphSpec
from phase2.data.batching import collate
from phase2.data.graphs.packing import pack
from phase2.data.padding.pad import pad
from phase2.data.padding.shape import BatchShape
from phase2.models.build import build_network
from phase2.models.kernels import kernels_of, use_kernels, why_not
from phase2.models.layers.fused.layout import SortedBonds
from phase2.models.layers.tensor_product import BondGeometry, TensorProduct
from phase2.testing.crystals import isolated, rock_salt
from phase2.testing.host_reads import host_reads

pytest.importorskip("triton", reason="Triton is installed with PyTorch on Linux alone.")

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def batch():
    """Rock salt, and a xenon atom that hears of nobody."""
    graphs = pack([rock_salt(), isolated()], GraphSpec(cutoff=4.0, neighbors=6))
    return collate(graphs, np.arange(2), np.zeros((2, 3), np.float32), "crystal")


def padded(batch):
    shape = BatchShape.of(batch)
    return pad(batch, BatchShape(*(size + more for size, more in zip(shape, (1, 3, 5, 9), strict=True))))


def product_and_gradients(batch, channels, highest, kernels, dtype):
    torch.manual_seed(0)
    product = TensorProduct(channels, highest)
    n, m = len(batch.species), len(batch.bond_sender)
    features = [torch.randn(n, 2 * degree + 1, c).to(dtype).requires_grad_() for degree, c in enumerate(channels)]
    weights = torch.randn(m, product.n_weights).to(dtype).requires_grad_()
    results = product(features, weights, BondGeometry.from_batch(batch, highest, kernels))
    slopes = [torch.randn_like(x) for x in results]
    return results, torch.autograd.grad(results, [*features, weights], slopes)


@pytest.mark.parametrize(
    ("channels", "highest", "dtype", "most"),
    [
        ((34,), 1, torch.float64, 1e-14),  # in two programs
        ((3, 2), 1, torch.float64, 1e-14),
        ((2, 1, 1), 2, torch.float64, 1e-14),
        ((3, 2), 1, torch.float32, 1e-6),
        ((3, 2), 1, torch.bfloat16, 1e-2),  # the plain product rounds each message
    ],
)
def test_equals_the_plain_product(batch, channels, highest, dtype, most):
    batch = padded(batch)
    batch = batch.double() if dtype == torch.float64 else batch
    plain, fused = (product_and_gradients(batch, channels, highest, k, dtype) for k in ("plain", "triton"))
    for expected, found in zip(plain, fused, strict=True):
        for one, other in zip(expected, found, strict=True):
            assert other.dtype == one.dtype
            assert float((one - other).detach().abs().max()) <= most * float(one.detach().abs().max())


@pytest.mark.parametrize(
    ("senders", "receivers"),
    [([3, 3, 1, 0, 3, 2], [0, 0, 0, 2, 3, 3]), ([], []), ([0] * 20, [1] * 20)],  # 20 bonds are more than a tile
)
def test_equals_the_formula(senders, receivers):
    torch.manual_seed(0)
    sender, receiver = torch.tensor(senders, dtype=torch.int64), torch.tensor(receivers, dtype=torch.int64)
    n, m, channels = 4, len(senders), (3, 2)
    product = TensorProduct(channels, 1)
    features = [torch.randn(n, 2 * degree + 1, c).double().requires_grad_() for degree, c in enumerate(channels)]
    weights = torch.randn(m, product.n_weights).double().requires_grad_()
    sizes = [(2 * path.l1 + 1, 2 * path.l3 + 1) for path in product.paths]
    matrices = torch.randn(m, sum(p * q for p, q in sizes)).double()
    bonds = BondGeometry(sender, receiver, torch.ones(m), matrices, {}, {}, SortedBonds.of(sender, receiver, n))
    found = product(features, weights, bonds)
    parts: list[list[torch.Tensor]] = [[], []]
    pieces = zip(
        product.paths,
        sizes,
        torch.split(matrices, [p * q for p, q in sizes], dim=1),
        torch.split(weights, product.weights, dim=1),
        strict=True,
    )
    for path, size, block, weight in pieces:
        messages = torch.einsum("bmk,bmc,bc->bkc", block.view(-1, *size), features[path.l1][sender], weight)
        parts[path.l3].append(torch.zeros(n, *messages.shape[1:]).double().index_add(0, receiver, messages))
    expected = [torch.cat(each, dim=2) for each in parts]
    slopes = [torch.randn_like(x) for x in expected]
    inputs = [*features, weights]
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=1e-13)
    gradients = (torch.autograd.grad(each, inputs, slopes) for each in (found, expected))
    torch.testing.assert_close(*gradients, rtol=1e-13, atol=1e-13)


def test_equal_inputs_give_equal_bits(batch):
    one, other = (product_and_gradients(batch, (3, 2), 1, "triton", torch.float32) for _ in range(2))
    assert all(torch.equal(a, b) for x, y in zip(one, other, strict=True) for a, b in zip(x, y, strict=True))


def test_geometry_that_needs_a_gradient_is_computed_plainly(batch):
    moved = replace(batch, positions=batch.positions.clone().requires_grad_())
    assert BondGeometry.from_batch(moved, 1, "triton").fused is None


def test_the_bonds_are_sorted_without_the_host(batch):
    reads = [host_reads(partial(BondGeometry.from_batch, batch, 1, k)) for k in ("plain", "triton")]
    assert reads == [[], []]


def network(**config):
    small = EquivariantConfig(size="small", channels=(4, 2), layers=2, trunk=4, second_order=2, readout_layers="all")
    run = resolve(RunRequest(algorithm="e3nn", level="smoke")).config.model_copy(update={"model": small, **config})
    torch.manual_seed(0)
    return build_network(run, 2, 12.0)


def test_the_network_is_the_same(batch):
    model = network()
    assert kernels_of(model) == ("plain", "triton")
    found = []
    for kernels in kernels_of(model):
        use_kernels(model, kernels)
        model.zero_grad()
        features = model.embed(batch)
        features.square().mean().backward()
        slopes = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        found.append((features.detach(), slopes))
    for one, other in zip(*found, strict=True):
        assert float((one - other).abs().max()) < 1e-6 * float(one.abs().max())


def test_why_not():
    assert why_not("plain", CPU) == ""
    assert why_not("triton", CPU) == "they need a GPU"
    assert why_not("cutlass", torch.device("cuda")) == "this phase2 does not know them"
