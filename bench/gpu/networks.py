"""The networks of the levels table, ready to be measured."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable

import numpy as np
import torch

from bench.gpu.record.rows import Network
from bench.gpu.setting import Setting
from bench.gpu.store import PackedData
from phase2.config.levels import PROFILES
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.schema import RunConfig
from phase2.config.settings import Kernels
from phase2.data.batching import Batch, collate
from phase2.models.base import CrystalModel
from phase2.models.build import build_network
from phase2.models.kernels import kernels_of, use_kernels, why_not
from phase2.models.layers.weighted_norm import WeightedBatchNorm
from phase2.models.recording.recorder import Recorder, recorder_for
from phase2.testing.recorder import ForcedRecorder, OperationRecorder
from phase2.training.learner import Learner
from phase2.training.loader import TrainingLoader, mean_neighbors

FEATURES = ("eager",)
"""What each network is measured with: PyTorch as it comes. What makes it faster is named here when it is there."""

RECORDED = "recorded"
"""The feature whose steps are recorded, as CUDA graphs on a GPU."""

FUSED = ("fused", "recorded, fused")
"""Those with fused kernels, which need a GPU; the steps of the second are recorded as well."""

LOADED = {
    "padded": (4, False),
    "on device": (None, True),
    "padded, on device": (4, True),
    RECORDED: (4, True),
    FUSED[0]: (None, False),
    FUSED[1]: (4, True),
}
"""Further features, measured with the smallest batches in fp32: sizes of padding, and where the graphs are."""

FUSED_KERNELS: Kernels = "triton"

PROPERTIES = resolve(RunRequest()).config.properties
STEPS = 100_000  # of the run that a learning rate belongs to
BATCHES = 8  # that are kept on the device


def networks() -> list[Network]:
    """List the networks and batches of the levels table in its order, each with all levels that train it so."""
    levels: dict[tuple[str, str, int], list[str]] = {}
    for row in PROFILES.values():
        levels.setdefault((row.algorithm, row.size, row.batch_size), []).append(row.mode)
    return [
        Network(algorithm=algorithm, size=size, batch_size=batch_size, levels=tuple(modes))
        for (algorithm, size, batch_size), modes in levels.items()
    ]


def one_of_each_size() -> list[Network]:
    """List the networks with the smallest batch of each size."""
    every = networks()
    return [n for n in every if n.batch_size == min(m.batch_size for m in every if _same_size(n, m))]


def smallest_batches() -> list[Network]:
    """Choose the network with the smallest batch of each algorithm, whose steps are shortest beside their launches."""
    smallest: dict[str, Network] = {}
    for network in sorted(networks(), key=lambda n: n.batch_size):
        smallest.setdefault(network.algorithm, network)
    return list(smallest.values())


def further(features: Iterable[str], data: PackedData, device: torch.device) -> list[Network]:
    """List the networks with the smallest batches with each feature that they can have on a device."""
    every = [n.model_copy(update={"feature": feature}) for feature in features for n in smallest_batches()]
    return [n for n in every if n.feature not in FUSED or can_be_fused(build(configuration(n), data), device)]


def can_be_fused(model: CrystalModel, device: torch.device) -> bool:
    """Tell whether a network has fused kernels that can be used on a device."""
    return FUSED_KERNELS in kernels_of(model) and not why_not(FUSED_KERNELS, device)


def is_recorded(network: Network) -> bool:
    """Tell whether the steps of a network are recorded."""
    return network.feature in {RECORDED, FUSED[1]}


def configuration(network: Network, **training: object) -> RunConfig:
    """Return the configuration of the first level that trains a network, with its precision and these settings."""
    mode = network.levels[0]
    level = None if mode == "competition" else mode
    config = resolve(RunRequest(algorithm=network.algorithm, level=level, competition=level is None)).config
    changed = config.training.model_copy(update={"precision": network.precision, **training})
    return config.model_copy(update={"training": changed})


def build(config: RunConfig, data: PackedData, *, untrained: bool = False) -> CrystalModel:
    """Build a network on the CPU; equal ones each time.

    Args:
        config: Configuration of the run.
        data: The crystals.
        untrained: Leave the last weights of the heads at zero, with which every prediction is zero.
    """
    torch.manual_seed(0)
    model = build_network(config, len(data.scaler.properties), mean_neighbors(data.graphs, data.split.train))
    if not untrained:
        torch.nn.init.normal_(model.heads.weight, std=0.1)
    return model


@torch.no_grad()
def settle(model: CrystalModel, batch: Batch) -> CrystalModel:
    """Give batch norms the statistics of a batch, as a training would, and return the network for evaluation."""
    for module in model.modules():
        if isinstance(module, WeightedBatchNorm):
            module.momentum = 1.0
    model.train()(batch)
    return model.eval()


def loader_of(
    config: RunConfig, data: PackedData, model: CrystalModel, device: torch.device, *, resident: bool = False
) -> TrainingLoader:
    """Return the loader of a training, with the graphs on the host unless they are to be on the device."""
    return TrainingLoader(
        data,
        view=model.view,
        batch_size=config.training.batch_size,
        seed=config.seed,
        device=device,
        padding_buckets=config.training.padding_buckets,
        resident=resident,
    )


def learner_of(
    config: RunConfig, model: CrystalModel, loader: TrainingLoader, recorder: Recorder | None = None
) -> Learner:
    """Return the learner of a training, with the weights of its labels."""
    weights = loader.label_weights(config.training.label_exponent)
    return Learner(model, len(config.properties), config.training, steps=STEPS, weights=weights, recorder=recorder)


def prepared(network: Network, data: PackedData, setting: Setting) -> tuple[Learner, TrainingLoader, list[Batch]]:
    """Return the learner of a network with its feature, its loader, and the first batches on the device."""
    buckets, on_device = LOADED.get(network.feature, (None, False))
    device, config = setting.device(), configuration(network, padding_buckets=buckets)
    model = build(config, data, untrained=True).to(device)
    if network.feature in FUSED:
        use_kernels(model, FUSED_KERNELS)
    loader = loader_of(config, data, model, device, resident=on_device)
    first = resident(loader, setting)
    if is_recorded(network):
        return recording_learner(config, model, loader, first[0]), loader, first
    return learner_of(config, model, loader), loader, first


def recording_learner(config: RunConfig, model: CrystalModel, loader: TrainingLoader, batch: Batch) -> Learner:
    """Return a learner that has recorded its step on batches of the size of one.

    Raises:
        RuntimeError: The step cannot be recorded.
    """
    device = next(model.parameters()).device
    recorder = ForcedRecorder(recorder_for(device) or OperationRecorder())
    learner = learner_of(config, model, loader, recorder)
    assert learner.recorded is not None
    while learner.recorded.trial is None:
        learner.step(batch)
    if learner.recorded.trial.refused is not None:
        raise RuntimeError(learner.recorded.trial.refused)
    return learner


def endless(loader: TrainingLoader) -> Generator[Batch]:
    """Load the batches of one epoch after the other."""
    for epoch in itertools.count():
        yield from loader.epoch(epoch)


def resident(loader: TrainingLoader, setting: Setting) -> list[Batch]:
    """Return the first batches, on the device."""
    return list(itertools.islice(endless(loader), 2 if setting.quick else BATCHES))


def first_crystals(data: PackedData, model: CrystalModel, count: int) -> Batch:
    """Return training crystals as one batch without labels, on the CPU."""
    return collate(data.graphs, np.sort(data.split.train[:count]), None, model.view)


def _same_size(one: Network, other: Network) -> bool:
    return (one.algorithm, one.size) == (other.algorithm, other.size)
