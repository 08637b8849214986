"""The fused gated sum is the plain one, in Triton's interpreter on the CPU."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from phase2.config.schema import CgcnnConfig, GraphSpec
from phase2.data.batching import collate
from phase2.data.graphs.packing import pack
from phase2.data.padding.pad import pad
from phase2.data.padding.shape import BatchShape
from phase2.models.build import build_model
from phase2.models.kernels import kernels_of, use_kernels
from phase2.models.layers.gated_sum import Links, Statistics, gated_sum
from phase2.testing.crystals import isolated, triclinic

pytest.importorskip("triton", reason="Triton is installed with PyTorch on Linux alone.")

DTYPES = [(torch.float64, 1e-13), (torch.float32, 1e-6)]


@pytest.fixture(scope="module")
def batch():
    """A triclinic crystal, xenon, and padding: some nodes have no link."""
    whole = collate(
        pack([triclinic(), isolated()], GraphSpec()), np.arange(2), np.zeros((2, 3), np.float32), "quotient"
    )
    return pad(whole, BatchShape(*(size + more for size, more in zip(BatchShape.of(whole), (1, 3, 5, 5), strict=True))))


def without_links(batch):
    none = {name: getattr(batch, name)[:0] for name in ("receiver", "sender", "distance", "link_weight")}
    return replace(batch, **none)


def sums_and_gradients(batch, kernels, dtype, channels, *, fixed=False):
    batch = batch.double() if dtype == torch.float64 else batch
    rng = torch.Generator().manual_seed(0)

    def drawn(*size):
        return torch.randn(*size, generator=rng).to(dtype)

    terms = drawn(len(batch.species), 4 * channels).requires_grad_()
    weight = drawn(2 * channels, 5).requires_grad_()
    scale, bias = drawn(2 * channels).requires_grad_(), drawn(2 * channels).requires_grad_()
    lengths = drawn(len(batch.receiver), 5)
    known = Statistics(drawn(2 * channels), 1 + drawn(2 * channels).abs()) if fixed else None
    links = Links.from_batch(batch, kernels=kernels)
    summed, used = gated_sum(terms, lengths, weight, scale, bias, links, known, 1e-5)
    slopes = torch.autograd.grad(summed, (terms, weight, scale, bias), drawn(*summed.shape))
    return [summed.detach(), used.mean, used.variance, *slopes]


def largest_gap(found, expected):
    return max(
        float((one - other).abs().max() / other.abs().max().clamp(min=1e-30))
        for one, other in zip(found, expected, strict=True)
        if other.numel()
    )


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize(("dtype", "most"), DTYPES)
@pytest.mark.parametrize("channels", [3, 33])
def test_equals_the_plain_sum(batch, dtype, most, channels, fixed):
    plain, fused = (sums_and_gradients(batch, k, dtype, channels, fixed=fixed) for k in ("plain", "triton"))
    assert largest_gap(fused, plain) <= most
    assert all(one.dtype == other.dtype for one, other in zip(plain, fused, strict=True))


def test_a_batch_without_links(batch):
    plain, fused = (sums_and_gradients(without_links(batch), k, torch.float32, 3) for k in ("plain", "triton"))
    assert all(torch.equal(one, other) for one, other in zip(plain, fused, strict=True))


def test_equal_inputs_give_equal_bits(batch):
    one, other = (sums_and_gradients(batch, "triton", torch.float32, 3) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(("dtype", "most"), DTYPES)
def test_extreme_values_keep_their_digits(dtype, most):
    """Each link is all of a node's, so that its sum shows every digit of its message."""
    from phase2.models.layers.fused.gate import fused_gated_sum

    values = torch.tensor([-80.0, -40.0, -17.0, -5.0, -1e-3, 0.0, 1e-3, 5.0, 17.0, 40.0, 80.0]).to(dtype)
    z = torch.stack([values, values.flip(0)], dim=1)
    ones, n = torch.ones(2).to(dtype), len(values)
    found = fused_gated_sum(z, ones, 0 * ones, torch.ones(n).to(dtype), torch.arange(n + 1).int())[:, 0]
    exact = torch.sigmoid(z[:, 0].double()) * functional.softplus(z[:, 1].double(), threshold=100)
    torch.testing.assert_close(found.double(), exact, rtol=10 * most, atol=0)
    found = fused_gated_sum(z.flip(1), ones, 0 * ones, torch.ones(n).to(dtype), torch.arange(n + 1).int())[:, 0]
    exact = torch.sigmoid(z[:, 1].double()) * functional.softplus(z[:, 0].double(), threshold=100)
    torch.testing.assert_close(found.double(), exact, rtol=10 * most, atol=0)


@pytest.mark.parametrize("training", [True, False])
def test_the_network_is_the_same(batch, training):
    torch.manual_seed(0)
    model = build_model(CgcnnConfig(preset="small", width=6, convolutions=2, gaussians=5, trunk=6), 2, 12.0, 5.0)
    assert kernels_of(model) == ("plain", "triton")
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    found = []
    for kernels in kernels_of(model):
        model.load_state_dict(state)
        use_kernels(model.train(training), kernels)
        model.zero_grad()
        features = model.embed(batch)
        features.square().mean().backward()
        slopes = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        found.append([features.detach(), slopes, *model.buffers()])
    assert largest_gap(found[1], found[0]) < 2e-6
