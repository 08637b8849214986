"""How many steps a run takes, and how long, from comparable runs that were measured. Pure."""

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
    """The work of a run, as far as it is known before.

    Attributes:
        train: Crystals in the training part; None for data of unknown size.
        is_exact: Whether a run with the same data has counted them.
        steps: Batches of all epochs together.
        seconds: Time that they take; None where no comparable run was measured.
        hardware: Where those runs were measured.
        measured: Number of those runs.
    """

    train: int | None
    is_exact: bool = False
    steps: int | None = None
    seconds: float | None = None
    hardware: str | None = None
    measured: int = 0


def estimate(config: RunConfig, runs: Iterable[RunManifest] = (), *, on_gpu: bool) -> Estimate:
    """Estimate a run.

    Args:
        config: The run.
        runs: Finished runs to learn from; those that do not compare are passed over.
        on_gpu: Whether it is given a GPU.
    """
    known = [run for run in runs if run.data is not None]
    counted = next((run.data.train for run in known if run.data and run.config.data == config.data), None)
    train = counted if counted is not None else _training_part(config)
    if train is None:
        return Estimate(None)
    steps = config.training.epochs * math.ceil(train / config.training.batch_size)
    rates = [
        (run.mean_epoch_seconds / run.data.train, run)
        for run in known
        if run.mean_epoch_seconds and run.data and run.data.train and _compares(run, config, on_gpu=on_gpu)
    ]
    if not rates:
        return Estimate(train, counted is not None, steps)
    seconds = median(rate for rate, _ in rates) * train * config.training.epochs
    hardware = rates[0][1].hardware
    place = hardware.gpu or f"{hardware.cpu} ({hardware.cores:g} cores)"
    return Estimate(train, counted is not None, steps, seconds, place, len(rates))


def _compares(run: RunManifest, config: RunConfig, *, on_gpu: bool) -> bool:
    """Whether an epoch of a run costs as much per crystal."""
    return (
        run.config.model == config.model
        and run.config.training.batch_size == config.training.batch_size
        and run.config.data.graph == config.data.graph
        and run.config.data.source == config.data.source
        and (run.hardware.gpu is not None) == on_gpu
    )


def _training_part(config: RunConfig) -> int | None:
    crystals = CRYSTALS.get(config.data.source)
    if crystals is None:
        return None
    used = min(crystals, config.data.max_samples or crystals)
    return round(used * config.data.fractions[0] / sum(config.data.fractions))
