"""Estimate of the steps and the duration of a run, from finished runs or from measured rates. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median

from phase2.cluster.estimate.cpu_rates import CpuRates, NetworkRate, shipped_rates
from phase2.config.data.sets import CRYSTALS
from phase2.config.schema import RunConfig
from phase2.machine.hardware import Hardware
from phase2.runs.records.manifest import RunManifest

_SAMPLE = "sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Estimated work of a run.

    Attributes:
        train: Crystals in the training set; None for data of unknown size.
        is_exact: Whether ``train`` was counted by a run with the same data.
        steps: Batches over all epochs; None for data of unknown size.
        seconds: Duration, without waiting for a node and for data to download; None if it is not known.
        source: What the duration comes from, or why it is not known, in words.
        measured: Number of comparable runs that it comes from.
        on_gpu: Whether the run has a GPU.
        cores: Cores of the run.
        may_end_early: Whether the run stops where it no longer improves.
    """

    train: int | None
    is_exact: bool = False
    steps: int | None = None
    seconds: float | None = None
    source: str
    measured: int = 0
    on_gpu: bool
    cores: float
    may_end_early: bool = False


def estimate(
    config: RunConfig, runs: Iterable[RunManifest] = (), *, on_gpu: bool, cores: float, processes: int = 1
) -> Estimate:
    """Estimate the work of a run: by comparable finished runs, or without them on a CPU by the shipped rates.

    Args:
        config: Configuration of the run.
        runs: Finished runs; those that are not comparable are skipped.
        on_gpu: Whether the run has a GPU.
        cores: Cores of each of its processes, more than 0; part of a core is a share of its time.
        processes: Processes that train the run together; only runs of as many are comparable.
    """
    known = [run for run in runs if run.data is not None]
    counted = next((run.data.train for run in known if run.data and run.config.data == config.data), None)
    train = counted if counted is not None else _training_set_size(config)
    work = Estimate(
        train=train,
        is_exact=counted is not None,
        source="the size of the data is not known here",
        on_gpu=on_gpu,
        cores=cores,
        may_end_early=config.training.patience is not None,
    )
    if train is None:
        return work
    work = replace(work, steps=config.training.epochs * math.ceil(train / config.training.batch_size))
    return _by_runs(work, config, known, processes) or _by_rates(work, config, train, processes)


def _by_runs(work: Estimate, config: RunConfig, runs: Iterable[RunManifest], processes: int) -> Estimate | None:
    """Estimate from the epochs of comparable runs; None without one."""
    rate = None if work.on_gpu else shipped_rates().of(config)
    seconds: list[float] = []
    places: list[str] = []
    for run in runs:
        is_packed = run.execution is not None and run.execution.packed is not None
        if is_packed or (run.hardware.processes or 1) != processes:
            continue
        if not (run.mean_epoch_seconds and run.data and run.data.train and _is_comparable(run, config, work)):
            continue
        scale = 1.0 if rate is None else rate.relative_time(work.cores) / rate.relative_time(_cores(run.hardware))
        seconds.append(run.mean_epoch_seconds / run.data.train * scale)
        places.append(run.hardware.gpu or f"{run.hardware.cpu} ({_cores(run.hardware):g} cores)")
    if not seconds:
        return None
    duration = median(seconds) * (work.train or 0) * config.training.epochs
    count = f"{len(seconds)} comparable run{'s' if len(seconds) > 1 else ''}"
    return replace(work, seconds=duration, source=f"by {count} on {places[0]}", measured=len(seconds))


def _by_rates(work: Estimate, config: RunConfig, train: int, processes: int) -> Estimate:
    """Estimate from the shipped rates, which are of CPUs alone."""
    if work.on_gpu:
        return replace(work, source="the store has no comparable run, and no rates on a GPU were measured")
    rates = shipped_rates()
    rate = rates.of(config)
    if rate is None:
        return replace(work, source="the store has no comparable run, and this network was not measured")
    share = config.data.fractions[1] / config.data.fractions[0]
    epoch = train * (rate.train.median + share * rate.validation.median)
    once = (rates.start + rates.graphs * CRYSTALS.get(config.data.source, train)) * max(1.0, 1 / work.cores)
    seconds = once + config.training.epochs * epoch * rate.relative_time(work.cores)
    return replace(work, seconds=seconds, source=_source(rates, rate, config, processes))


def _source(rates: CpuRates, rate: NetworkRate, config: RunConfig, processes: int) -> str:
    conditions = []
    if processes > 1:
        conditions.append("in one process")
    if rate.batch_size != config.training.batch_size:
        conditions.append(f"in batches of {rate.batch_size}")
    if config.data.source != _SAMPLE:
        conditions.append(f"if its crystals have {rates.atoms:.0f} atoms on average, as those measured")
    return ", ".join([f"by rates measured on {rates.cpu}", *conditions])


def _is_comparable(run: RunManifest, config: RunConfig, work: Estimate) -> bool:
    """Whether an epoch of a run takes as long per crystal, but for the number of cores."""
    return (
        run.config.model == config.model
        and run.config.training.batch_size == config.training.batch_size
        and (run.config.training.balance == "famo") == (config.training.balance == "famo")
        and run.config.training.optimizer == config.training.optimizer
        and run.config.data.graph == config.data.graph
        and run.config.data.source == config.data.source
        and (run.hardware.gpu is not None) == work.on_gpu
    )


def _cores(hardware: Hardware) -> float:
    """Return the cores that a run computed on: a pod without a limit may see all of its node's."""
    return hardware.cores if hardware.threads is None else min(hardware.cores, hardware.threads)


def _training_set_size(config: RunConfig) -> int | None:
    crystals = CRYSTALS.get(config.data.source)
    if crystals is None:
        return None
    used = min(crystals, config.data.max_samples or crystals)
    return round(used * config.data.fractions[0] / sum(config.data.fractions))
