"""Training steps compared with those of other libraries on the same device: e3nn's tensor product, PyG's CGConv."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import nn

from bench.gpu.attempt import attempt
from bench.gpu.networks import PROPERTIES, build, configuration, loader_of, one_of_each_size, resident
from bench.gpu.record.rows import BaselineRow, LawRow, Network, Row, SkippedRow
from bench.gpu.setting import Setting
from bench.gpu.store import PackedData
from bench.gpu.timing import measure
from phase2.config.schema import CgcnnConfig
from phase2.data.batching import Batch, CrystalBatch, collate
from phase2.models.base import CrystalModel
from phase2.models.equivariant import Equivariant

SAME_NETWORK = 1e-4  # relative to the largest prediction


def baselines(setting: Setting) -> Iterator[Row]:
    """Compare one network of each size; one that fails leaves the others to be compared."""
    data = setting.store.data(PROPERTIES)
    for network in one_of_each_size():
        if setting.quick and network.size != "small":
            continue
        yield from attempt(f"baseline of {network.title}", partial(_compared, network, data, setting))


def _compared(network: Network, data: PackedData, setting: Setting) -> Iterator[Row]:
    model = build(configuration(network), data).to(setting.device())
    compare = _with_e3nn if isinstance(model, Equivariant) else _with_pyg
    return compare(network, model, data, setting)


def _with_e3nn(network: Network, model: CrystalModel, data: PackedData, setting: Setting) -> Iterator[Row]:
    from bench.equivariant_step import E3nnEquivariant, trainer

    assert isinstance(model, Equivariant)
    theirs = E3nnEquivariant(model).to(setting.device())
    batches = resident(loader_of(configuration(network), data, model, setting.device()), setting)
    with torch.no_grad():
        ours = model(batches[0])
        gap = float((theirs(batches[0]) - ours).abs().max() / ours.abs().max())
    yield LawRow.of("e3nn's tensor product predicts the same", f"e3nn {network.size}", gap, SAME_NETWORK)
    works = [_work(trainer(net), batches) for net in (model, theirs)]
    yield _row(network, "e3nn TensorProduct on every edge", works, batches, setting)


def _with_pyg(network: Network, model: CrystalModel, data: PackedData, setting: Setting) -> Iterator[Row]:
    try:
        from bench.cgcnn_step import PygCgcnn, full_graph, trainer
    except ImportError as error:
        yield SkippedRow(what=f"PyG CGConv, cgcnn {network.size}", why=str(error))
        return
    config, device = configuration(network), setting.device()
    assert isinstance(config.model, CgcnnConfig)
    loader = loader_of(config, data, model, device)
    batches = resident(loader, setting)
    full = []
    for batch in batches:
        whole = collate(data.graphs, batch.index.cpu().numpy(), loader.labels, "crystal")
        assert isinstance(whole, CrystalBatch)
        full.append(full_graph(whole).to(device))
    theirs: nn.Module = PygCgcnn(config.model, len(data.scaler.properties)).to(device)
    works = [_work(trainer(model), batches), _work(trainer(theirs), full)]
    yield _row(network, "PyG CGConv", works, batches, setting)


def _work(step: Callable[..., None], batches: list) -> Callable[[], object]:
    return partial(_next_step, step, itertools.cycle(batches))


def _next_step(step: Callable[[Batch], None], batches: Iterator[Batch]) -> None:
    step(next(batches))


def _row(
    network: Network, name: str, works: list[Callable[[], object]], batches: list[Batch], setting: Setting
) -> BaselineRow:
    ours, theirs = measure(works, setting.device(), setting)
    return BaselineRow(
        network=network,
        baseline=name,
        crystals=batches[0].n_crystals,
        step_ms=ours,
        baseline_ms=theirs,
        ratio=theirs.median / ours.median,
    )
