"""Estimate of the steps and the duration of a run, from comparable finished runs. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from phase2.config.data_sets import CRYSTALS
from phase2.config.schema import RunConfig
from phase2.runs.manifest import RunManifest


@dataclass(frozen=True, slots=True)
class Estimate:
    """Estimated work of a run.

    Attributes:
        train: Crystals in the training set; None for data of unknown size.
        is_exact: Whether ``train`` was counted by a run with the same data.
        steps: Batches over all epochs.
        seconds: Duration; None if there is no comparable run.
        hardware: Hardware of the comparable runs.
        measured: Number of comparable runs.
    """

    train: int | None
    is_exact: bool = False
    steps: int | None = None
    seconds: float | None = None
    hardware: str | None = None
    measured: int = 0


def estimate(config: RunConfig, runs: Iterable[RunManifest] = (), *, on_gpu: bool) -> Estimate:
    """Estimate the work of a run.

    Args:
        config: Configuration of the run.
        runs: Finished runs; those that are not comparable are skipped.
        on_gpu: Whether the run has a GPU.
    """
    known = [run for run in runs if run.data is not None]
    counted = next((run.data.train for run in known if run.data and run.config.data == config.data), None)
    train = counted if counted is not None else _training_set_size(config)
    if train is None:
        return Estimate(None)
    steps = config.training.epochs * math.ceil(train / config.training.batch_size)
    rates = [
        (run.mean_epoch_seconds / run.data.train, run)
        for run in known
        if run.mean_epoch_seconds and run.data and run.data.train and _is_comparable(run, config, on_gpu=on_gpu)
    ]
    if not rates:
        return Estimate(train, counted is not None, steps)
    seconds = median(rate for rate, _ in rates) * train * config.training.epochs
    hardware = rates[0][1].hardware
    place = hardware.gpu or f"{hardware.cpu} ({hardware.cores:g} cores)"
    return Estimate(train, counted is not None, steps, seconds, place, len(rates))


def _is_comparable(run: RunManifest, config: RunConfig, *, on_gpu: bool) -> bool:
    """Whether an epoch of a run takes as long per crystal."""
    return (
        run.config.model == config.model
        and run.config.training.batch_size == config.training.batch_size
        and run.config.data.graph == config.data.graph
        and run.config.data.source == config.data.source
        and (run.hardware.gpu is not None) == on_gpu
    )


def _training_set_size(config: RunConfig) -> int | None:
    crystals = CRYSTALS.get(config.data.source)
    if crystals is None:
        return None
    used = min(crystals, config.data.max_samples or crystals)
    return round(used * config.data.fractions[0] / sum(config.data.fractions))
