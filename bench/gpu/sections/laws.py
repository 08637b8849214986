"""Laws that hold on the device as they do on the CPU, in single precision without TF32."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor

from bench.gpu.attempt import attempt
from bench.gpu.networks import (
    FUSED_KERNELS,
    LOADED,
    PROPERTIES,
    RECORDED,
    build,
    can_be_fused,
    configuration,
    first_crystals,
    learner_of,
    loader_of,
    networks,
    one_of_each_size,
    recording_learner,
    resident,
    settle,
)
from bench.gpu.record.rows import LawRow, Network, Row, SkippedRow
from bench.gpu.setting import Setting
from bench.gpu.store import SEPARATOR, PackedData
from phase2.config.settings import Kernels
from phase2.data.batching import Batch, collate
from phase2.data.padding.buckets import ShapeBuckets
from phase2.data.padding.pad import pad
from phase2.data.padding.shape import BatchShape
from phase2.models.base import CrystalModel
from phase2.models.kernels import use_kernels
from phase2.testing.host_reads import host_waits
from phase2.training.objective import property_losses
from phase2.training.optimisation.muon import orthogonalize

# Largest differences relative to the largest value: some 20 to 50 times what single precision differs from double on
# the CPU (predictions 1.2e-6, gradients 9e-7, equal crystals 3e-7, Muon's matrices 4e-6), and for bf16 twice what it
# differs from single precision there (2.2e-2).
SAME_OUTPUT = 3e-5
SAME_GRADIENT = 5e-5
SAME_CRYSTAL = 1e-5
SAME_LOSS = 1e-5
SAME_STEP = 1e-4
HALF_PRECISION = 5e-2

CRYSTALS = 32


def laws(setting: Setting) -> Iterator[Row]:
    """Check every law, for every network that it is about."""
    device, data = setting.device(), setting.store.data(PROPERTIES)
    for network in one_of_each_size():
        yield from attempt(f"laws of {_name(network)}", partial(_of_network, network, data, setting))
    if device.type != "cuda":
        yield SkippedRow(what="laws of fused kernels", why="they need a GPU")
    yield from attempt("the weights of labels", partial(_label_weights, data, device))
    yield from attempt("Muon", partial(_orthogonalisation, device))


def _of_network(network: Network, data: PackedData, setting: Setting) -> Iterator[LawRow]:
    device, model = setting.device(), build(configuration(network), data)
    batch = first_crystals(data, model, 8 if setting.quick else CRYSTALS)
    settle(model, batch)
    yield from _like_the_cpu(network, model, batch, device)
    yield from _equivalent_crystals(network, model.to(device), setting)
    yield _half_precision(network, model, batch.to(device))
    if not setting.quick or network.size == "small":
        yield from _padding(network, model, data, setting)
        yield _no_waiting(network, model, data, setting)
        yield _recorded(network, data, setting)
    if can_be_fused(model, device):
        yield from _fused(network, model, batch.to(device))
        yield _recorded(network, data, setting, FUSED_KERNELS)


def _fused(network: Network, model: CrystalModel, batch: Batch) -> Iterator[LawRow]:
    """Compare the network with fused kernels with the same network without."""
    found = []
    for kernels in ("plain", FUSED_KERNELS):
        use_kernels(model, kernels)
        found.append(outputs_and_gradients(model, batch))
    limits = (("predictions", SAME_OUTPUT), ("gradients", SAME_GRADIENT))
    for (what, most), plain, fused in zip(limits, *found, strict=True):
        yield LawRow.of(f"fused kernels do not change the {what}", _name(network), _gap(fused, plain), most)
    row = _half_precision(network, model, batch)
    yield row.model_copy(update={"subject": f"{row.subject}, fused kernels"})
    use_kernels(model, "plain")


def _like_the_cpu(network: Network, model: CrystalModel, batch: Batch, device: torch.device) -> Iterator[LawRow]:
    expected = outputs_and_gradients(model, batch)
    found = outputs_and_gradients(model.to(device), batch.to(device))
    limits = (("predictions", SAME_OUTPUT), ("gradients", SAME_GRADIENT))
    for (what, most), here, there in zip(limits, found, expected, strict=True):
        yield LawRow.of(f"{what} are those of the CPU", _name(network), _gap(here, there), most)


def outputs_and_gradients(model: CrystalModel, batch: Batch) -> tuple[Tensor, Tensor]:
    """Compute the predictions of the evaluated network, and the gradients of the network in training, on the CPU."""
    with torch.no_grad():
        outputs = model(batch)[: batch.n_real].cpu()
    model.zero_grad()
    model.train()(batch)[: batch.n_real].square().mean().backward()
    model.eval()
    slopes = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    return outputs, torch.cat(slopes).cpu()


@torch.no_grad()
def _equivalent_crystals(network: Network, model: CrystalModel, setting: Setting) -> Iterator[LawRow]:
    """Compare the predictions for each description of a crystal with those for the crystal as it is."""
    graphs = setting.store.equivalents()
    batch = collate(graphs, np.arange(len(graphs)), None, model.view)
    outputs = model(batch.to(next(model.parameters()).device)).cpu()
    crystals, changes = np.array([str(name).split(SEPARATOR) for name in graphs.ids]).T
    first = [int(np.flatnonzero(crystals == name)[0]) for name in crystals]
    for change in dict.fromkeys(changes[np.arange(len(first)) != first].tolist()):
        rows = np.flatnonzero(changes == change)
        gap = _gap(outputs[rows], outputs[[first[k] for k in rows]])
        yield LawRow.of(f"predictions do not change with {change}", _name(network), gap, SAME_CRYSTAL)


@torch.no_grad()
def _half_precision(network: Network, model: CrystalModel, batch: Batch) -> LawRow:
    expected = model(batch)
    with torch.autocast(batch.species.device.type, dtype=torch.bfloat16):
        found = model(batch)
    gap = _gap(found.float().cpu(), expected.cpu())
    return LawRow.of("bf16 predicts nearly what fp32 does", _name(network), gap, HALF_PRECISION)


def _padding(network: Network, model: CrystalModel, data: PackedData, setting: Setting) -> Iterator[LawRow]:
    """Compare a batch with the same padded, in evaluation and in training."""
    batch = first_crystals(data, model, 8 if setting.quick else CRYSTALS)
    shape = ShapeBuckets.fit(np.array([BatchShape.of(batch)]) * 2, 1).shapes[0]
    expected, found = (outputs_and_gradients(model, b.to(setting.device())) for b in (batch, pad(batch, shape)))
    limits = (("predictions", SAME_OUTPUT), ("gradients", SAME_GRADIENT))
    for (what, most), plain, padded in zip(limits, expected, found, strict=True):
        yield LawRow.of(f"padding does not change the {what}", _name(network), _gap(padded, plain), most)


def _no_waiting(network: Network, model: CrystalModel, data: PackedData, setting: Setting) -> LawRow:
    """Count where the host reads a value of a tensor in a training step: nowhere."""
    config = configuration(network)
    loader = loader_of(config, data, model, setting.device())
    learner = learner_of(config, model, loader)
    first, second = resident(loader, setting)[:2]
    learner.step(first)
    waits = host_waits(lambda: learner.step(second), setting.device())
    return LawRow.of("a training step waits for no value", _name(network), float(len(waits)), 0.0)


def _recorded(network: Network, data: PackedData, setting: Setting, kernels: Kernels = "plain") -> LawRow:
    """Compare a replayed step with one as it is written, from the same state and on the same batch."""
    buckets, on_device = LOADED[RECORDED]
    config, device = configuration(network, padding_buckets=buckets), setting.device()
    model, other = (build(config, data).to(device) for _ in range(2))
    for each in (model, other):
        use_kernels(each, kernels)
    loader = loader_of(config, data, model, device, resident=on_device)
    batch = resident(loader, setting)[0]
    recording = recording_learner(config, model, loader, batch)
    before = recording.state()
    plain = learner_of(config, other, loader)
    plain.restore(before)
    weights = []
    for learner in (recording, plain):
        learner.step(batch)
        state = learner.state()
        weights.append(torch.cat([t.double().flatten() for t in (*state.model.values(), *state.average.values())]))
    gap = float((weights[0] - weights[1]).norm() / weights[1].norm())
    subject = _name(network) if kernels == "plain" else f"{_name(network)}, fused kernels"
    return LawRow.of("a recorded step is the step", subject, gap, SAME_STEP)


def _label_weights(data: PackedData, device: torch.device) -> Iterator[LawRow]:
    """Check that the losses of an epoch's batches sum to that of all labels at once: each label weighs the same."""
    network = next(n for n in networks() if configuration(n).training.label_exponent is not None)
    config = configuration(network)
    model = build(config, data).to(device)
    loader = loader_of(config, data, model, device)
    weights = loader.label_weights(config.training.label_exponent)
    assert weights is not None
    weights = weights.to(device)
    labels = torch.from_numpy(loader.labels[data.split.train]).to(device)
    predictions = torch.linspace(-1, 1, labels.numel(), device=device).view_as(labels)
    whole = property_losses(predictions, labels, config.training.loss, weights).mean()
    for size in (4, 64):
        parts = zip(predictions.split(size), labels.split(size), strict=True)
        sums = sum(property_losses(p, t, config.training.loss, weights).mean() for p, t in parts)
        gap = _gap(torch.as_tensor(sums).cpu(), whole.cpu())
        yield LawRow.of("every label weighs the same in every batch", f"batches of {size}", gap, SAME_LOSS)


def _orthogonalisation(device: torch.device) -> Iterator[LawRow]:
    """Compare the matrices of Muon's steps with those computed on the CPU."""
    generator = torch.Generator().manual_seed(0)
    for rows, columns in itertools.product((64, 128, 320), (32, 128)):
        matrices = torch.randn(3, rows, columns, generator=generator)
        gap = _gap(orthogonalize(matrices.to(device)).cpu(), orthogonalize(matrices))
        yield LawRow.of("Muon's matrices are those of the CPU", f"3 x {rows} x {columns}", gap, SAME_STEP)


def _gap(found: Tensor, expected: Tensor) -> float:
    """Return the largest difference relative to the largest expected value."""
    return float((found - expected).abs().max() / expected.abs().max())


def _name(network: Network) -> str:
    return f"{network.algorithm} {network.size}"
