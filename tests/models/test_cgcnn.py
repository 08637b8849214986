"""CGCNN on the quotient graph is the paper's network on the full graph."""

from functools import partial
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from phase2.config.schema import CgcnnConfig
from phase2.data.batching import QuotientBatch
from phase2.models.build import build_model
from phase2.models.cgcnn import Cgcnn, GatedConvolution
from phase2.models.layers.gated_sum import Links
from phase2.models.layers.weighted_norm import WeightedBatchNorm

CONFIG = CgcnnConfig(preset="small", width=6, convolutions=3, gaussians=9, trunk=8)


def quotient(n_crystals=3, nodes=4, links=5, seed=0, most=4):
    """Random quotient graphs, every crystal with ``nodes`` nodes that receive ``links`` links each."""
    rng = torch.Generator().manual_seed(seed)
    n = n_crystals * nodes
    receiver = torch.arange(n).repeat_interleave(links)
    return QuotientBatch(
        species=torch.randint(1, 119, (n,), generator=rng),
        weight=torch.randint(1, most, (n,), generator=rng).float(),
        node_crystal=torch.arange(n_crystals).repeat_interleave(nodes),
        receiver=receiver,
        sender=torch.randint(0, nodes, (n * links,), generator=rng) + receiver // nodes * nodes,
        distance=1 + 5 * torch.rand(n * links, generator=rng),
        link_weight=torch.randint(1, most, (n * links,), generator=rng).float(),
        n_crystals=n_crystals,
        targets=torch.zeros(n_crystals, 2),
        index=torch.arange(n_crystals),
    )


def lift(batch):
    """A full graph with this quotient: every atom of a class receives each link's edges, from any atom of its class."""
    copies = batch.weight.long()
    first = torch.cumsum(copies, 0) - copies
    receiver, sender, distance = [], [], []
    for r, s, d, w in zip(batch.receiver, batch.sender, batch.distance, batch.link_weight, strict=True):
        for copy in range(int(copies[r])):
            for edge in range(int(w)):
                receiver.append(int(first[r]) + copy)
                sender.append(int(first[s]) + (edge + copy) % int(copies[s]))
                distance.append(d)
    return (
        batch.species.repeat_interleave(copies),
        batch.node_crystal.repeat_interleave(copies),
        torch.tensor(receiver),
        torch.tensor(sender),
        torch.stack(distance),
    )


class PlainConvolution(nn.Module):
    """Eq. 5 as it is written, with the weights of the convolution under test."""

    def __init__(self, ours: GatedConvolution):
        super().__init__()
        width = ours.sum_norm.weight.numel()
        receiver, sender = ours.ends.weight.chunk(2)
        self.full = nn.Linear(2 * width + ours.length.in_features, 2 * width).double()
        self.full.weight.data = torch.cat([receiver, sender, ours.length.weight], dim=1).detach().clone()
        self.full.bias.data.zero_()
        self.bn1, self.bn2 = nn.BatchNorm1d(2 * width).double(), nn.BatchNorm1d(width).double()

    def forward(self, x, edges, receiver, sender):
        z = self.bn1(self.full(torch.cat([x[receiver], x[sender], edges], dim=1)))
        gate, core = z.chunk(2, dim=1)
        messages = torch.sigmoid(gate) * functional.softplus(core)
        return functional.softplus(x + self.bn2(torch.zeros_like(x).index_add(0, receiver, messages)))


class PlainCgcnn(nn.Module):
    def __init__(self, ours: Cgcnn):
        super().__init__()
        self.elements, self.expansion, self.heads = ours.elements, ours.expansion, ours.heads
        self.convolutions = nn.ModuleList(PlainConvolution(cast("GatedConvolution", c)) for c in ours.convolutions)

    def forward(self, batch):
        species, crystal, receiver, sender, distance = lift(batch)
        x, edges = self.elements(species), self.expansion(distance)
        for convolution in self.convolutions:
            x = convolution(x, edges, receiver, sender)
        mean = torch.stack([x[crystal == b].mean(0) for b in range(batch.n_crystals)])
        return self.heads(mean)


def model(config=CONFIG, seed=0, awake=True):
    torch.manual_seed(seed)
    built = build_model(config, 2, 12.0, 5.0).double()
    if awake:  # untrained heads predict zero, which would hide everything
        nn.init.normal_(built.get_parameter("heads.weight"))
    return built


def gradients(network, output):
    names, parameters = zip(*network.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(output.square().sum(), parameters), strict=True))


def test_equals_the_plain_formula_on_the_full_graph():
    ours, batch = model(), quotient().double()
    plain = PlainCgcnn(ours)
    assert_close = partial(torch.testing.assert_close, rtol=1e-8, atol=1e-10)
    for training in (True, True, False):
        got, want = ours.train(training)(batch), plain.train(training)(batch)
        assert_close(got, want)
        g, w = gradients(ours, got), gradients(plain, want)
        for name in g:
            if not name.startswith("convolutions"):
                assert_close(g[name], w[name])
        for k, (c, p) in enumerate(zip(ours.convolutions, plain.convolutions, strict=True)):
            of = f"convolutions.{k}."
            full = torch.cat([*g[of + "ends.weight"].chunk(2), g[of + "length.weight"]], dim=1)
            assert_close(full, w[of + "full.weight"])
            for norm, reference, name in ((c.gate_norm, p.bn1, "gate_norm"), (c.sum_norm, p.bn2, "sum_norm")):
                assert_close(norm.running_mean, reference.running_mean)
                assert_close(norm.running_var, reference.running_var)
                plain_name = {"gate_norm": "bn1", "sum_norm": "bn2"}[name]
                for part in ("weight", "bias"):
                    assert_close(g[f"{of}{name}.{part}"], w[f"{of}{plain_name}.{part}"])


def test_messages_travel_from_sender_to_receiver():
    batch = QuotientBatch(
        species=torch.tensor([11, 17]),
        weight=torch.ones(2),
        node_crystal=torch.tensor([0, 0]),
        receiver=torch.tensor([0]),
        sender=torch.tensor([1]),
        distance=torch.tensor([2.8]),
        link_weight=torch.ones(1),
        n_crystals=1,
        targets=torch.zeros(1, 2),
        index=torch.arange(1),
    ).double()
    network = model().eval()
    nodes = network.elements(batch.species).detach().requires_grad_()
    out = network.convolutions[0](nodes, network.expansion(batch.distance), Links.from_batch(batch), batch.weight)
    (to_receiver,) = torch.autograd.grad(out[0].sum(), nodes, retain_graph=True)
    (to_sender,) = torch.autograd.grad(out[1].sum(), nodes)
    assert to_receiver[1].abs().max() > 1e-6  # atom 0 hears of atom 1
    assert to_sender[0].abs().max() == 0  # atom 1 hears of nobody


def test_the_smallest_batches_train():
    for kwargs in ({"nodes": 1, "links": 1, "most": 2}, {"nodes": 1, "links": 3}, {"nodes": 3, "links": 1}):
        batch = quotient(n_crystals=1, **kwargs).double()
        network = model().train()
        network(batch).sum().backward()
        assert all(torch.isfinite(p.grad).all() for p in network.parameters())
        assert all(torch.isfinite(b).all() for b in network.buffers())


def test_untrained_models_predict_the_mean():
    assert model(awake=False)(quotient().double()).abs().max() == 0


def test_weighted_batch_norm_counts_rows():
    torch.manual_seed(0)
    rows, count = torch.randn(7, 3).double(), torch.tensor([1, 4, 2, 2, 1, 9, 1])
    norm, reference = WeightedBatchNorm(3).double(), nn.BatchNorm1d(3).double()
    for _ in range(2):
        got, want = norm(rows, count.double()), reference(rows.repeat_interleave(count, dim=0))
        torch.testing.assert_close(got.repeat_interleave(count, dim=0), want)
    torch.testing.assert_close(norm.running_var, reference.running_var)
    torch.testing.assert_close(norm.eval()(rows, count.double()), reference.eval()(rows))


def test_gradients():
    batch, convolution = quotient(n_crystals=2, nodes=2, links=3).double(), GatedConvolution(3, 4).double()
    lengths = torch.rand(len(batch.receiver), 4).double()
    nodes = torch.randn(len(batch.species), 3).double().requires_grad_()
    links, inputs = Links.from_batch(batch), (nodes, *convolution.parameters())
    for training in (True, False):
        convolution.train(training)
        assert torch.autograd.gradcheck(lambda x, *_: convolution(x, lengths, links, batch.weight), inputs)
