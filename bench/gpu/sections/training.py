"""Training of every network: time per step, share of the optimiser and peak memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Literal

from bench.gpu.attempt import attempt
from bench.gpu.networks import (
    FEATURES,
    LOADED,
    PROPERTIES,
    configuration,
    endless,
    further,
    is_recorded,
    networks,
    prepared,
)
from bench.gpu.record.rows import Network, Row, SkippedRow, TrainingRow
from bench.gpu.setting import Setting
from bench.gpu.store import PackedData
from bench.gpu.timing import measure, optimizer_share, peak_memory

OPTIMIZER_STEPS = 10
PRECISIONS: tuple[Literal["fp32", "bf16"], ...] = ("fp32", "bf16")


def training(setting: Setting) -> Iterator[Row]:
    """Measure every network in both precisions, with every feature; one that fails leaves the others to be measured."""
    data = setting.store.data(PROPERTIES)
    for precision, feature, network in itertools.product(PRECISIONS, FEATURES, networks()):
        if precision == "bf16" and setting.device().type != "cuda":
            continue
        row = network.model_copy(update={"precision": precision, "feature": feature})
        yield from attempt(f"training of {row.title} in {precision}", partial(measured, row, data, setting))
    for row in further(LOADED, data, setting.device()):
        yield from attempt(f"training of {row.title}, {row.feature}", partial(measured, row, data, setting))
    if setting.device().type != "cuda":
        yield SkippedRow(what="training in bf16", why="bf16 gains on a GPU alone")
        yield SkippedRow(what="training with fused kernels", why="they need a GPU")


def measured(network: Network, data: PackedData, setting: Setting) -> Iterator[TrainingRow]:
    """Measure the training of one network."""
    device = setting.device()
    with peak_memory(device) as peak:
        learner, loader, first = prepared(network, data, setting)
        batches = itertools.cycle(first)
        with closing(endless(loader)) as loaded:
            works = (lambda: learner.step(next(batches)), lambda: learner.step(next(loaded)))
            step_ms, loaded_ms = measure(works, device, setting)
        share = (
            None if is_recorded(network) else optimizer_share(works[0], device, 1 if setting.quick else OPTIMIZER_STEPS)
        )
        crystals = loader.size / loader.n_batches
        yield TrainingRow(
            network=network,
            optimizer=configuration(network).training.optimizer,
            crystals=round(crystals),
            step_ms=step_ms,
            loaded_ms=loaded_ms,
            crystals_per_second=1e3 * crystals / loaded_ms.median,
            optimizer_share=share,
            peak_bytes=peak(),
        )
