"""Rates of training on a CPU, of every network of the levels table, which ``phase2 submit`` estimates times from.

``python -m bench.cpu_rates --write`` replaces the file of rates in the package. Real epochs of the trainer on evenly
chosen crystals of the embedded sample, with one thread and with two, in turn. One thread counts in CPU time; the
speedup of two is the CPU time of one thread divided by the time of two on the clock. The machine should be idle: other
processes make two threads several times as slow, and even the CPU time of one grows by up to a half. How many cores
others used is printed, and the more disturbed epochs are left out.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import phase2
from phase2.cluster.estimate import cpu_rates
from phase2.cluster.estimate.cpu_rates import RATES_FILE, CpuRates, NetworkRate, Spread
from phase2.config.levels import PROFILES, Profile
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.schema import RunConfig
from phase2.data.dataset import CrystalPropertyDataset
from phase2.data.splits.split import Split
from phase2.machine.hardware import cpu_model
from phase2.storage.records import write_record
from phase2.training.callbacks.base import Callback, EpochEnd, StepEnd, TrainBegin
from phase2.training.result import TrainingFiles
from phase2.training.trainer import Trainer

# Training crystals by network: an epoch takes a second or two with one thread.
CRYSTALS = {
    ("e3nn", "small"): 512,
    ("e3nn", "medium"): 256,
    ("e3nn", "large"): 120,
    ("cgcnn", "small"): 4800,
    ("cgcnn", "medium"): 3840,
    ("cgcnn", "large"): 960,
}
EPOCHS = 4  # the first warms up, and the last waits for its checkpoint
QUIET = 0.1  # cores that others may use


@dataclass(frozen=True)
class Moment:
    """Clocks at one moment: CPU time of this process, the wall clock, CPU time of the machine; seconds."""

    process: float
    wall: float
    machine: float

    @classmethod
    def now(cls) -> Moment:
        """Read the clocks."""
        busy = [int(x) for x in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        idle = busy[3] + busy[4]
        return cls(time.process_time(), time.perf_counter(), (sum(busy) - idle) / os.sysconf("SC_CLK_TCK"))


@dataclass(frozen=True)
class Interval:
    """CPU and wall time of a part of an epoch, seconds; ``others`` is the number of cores that others used."""

    cpu: float
    wall: float
    others: float

    @classmethod
    def between(cls, begin: Moment, end: Moment) -> Interval:
        """Measure from one moment to another."""
        cpu, wall = end.process - begin.process, end.wall - begin.wall
        return cls(cpu, wall, max(0.0, end.machine - begin.machine - cpu) / wall)


EpochTimes = tuple[Interval, Interval]


class Clock(Callback):
    """Times of each epoch: of its steps, and of its end."""

    def __init__(self) -> None:
        self.epochs: list[EpochTimes] = []

    def on_train_begin(self, event: TrainBegin) -> None:  # noqa: ARG002 - a callback
        """Start the first epoch."""
        self._begin = Moment.now()

    def on_step_end(self, event: StepEnd) -> None:  # noqa: ARG002
        """Note the end of what may be the last step."""
        self._trained = Moment.now()

    def on_epoch_end(self, event: EpochEnd) -> None:  # noqa: ARG002
        """Record the epoch and start the next."""
        end, between = Moment.now(), Interval.between
        self.epochs.append((between(self._begin, self._trained), between(self._trained, end)))
        self._begin = Moment.now()


def main() -> None:
    """Print the rates, and write them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2, help="trainings of each network and number of threads")
    parser.add_argument("--write", action="store_true", help="replace the file of rates in the package")
    chosen = parser.parse_args()
    config = resolve(RunRequest()).config
    data = CrystalPropertyDataset.load(config.data, config.properties)
    networks = measured_networks(data, chosen.rounds)
    start, graphs = start_and_graphs(len(data.graphs))
    offsets = (data.graphs.atom_offset, data.graphs.edge_offset)
    rates = CpuRates(
        phase2=phase2.__version__,
        torch=torch.__version__,
        cpu=cpu_model(),
        atoms=round(float(offsets[0][-1]) / len(data.graphs), 2),
        edges=round(float(offsets[1][-1]) / len(data.graphs), 2),
        start=start,
        graphs=graphs,
        networks=networks,
    )
    print(f"start and end of a run: {start:.1f} s; graphs: {1e3 * graphs:.2f} ms per crystal")
    if chosen.write:
        write_record(Path(cpu_rates.__file__).with_name(RATES_FILE), rates)
    compare_properties(data, chosen.rounds)


def measured_networks(data: CrystalPropertyDataset, rounds: int) -> tuple[NetworkRate, ...]:
    """Train every network with one and two threads, in turn, and print a line for each."""
    rows = {(p.algorithm, p.size, p.batch_size): p for p in PROFILES.values()}
    times: dict[tuple[object, int], list[EpochTimes]] = {}
    for seed, (key, row), threads in itertools.product(range(rounds), rows.items(), (1, 2)):
        times.setdefault((key, threads), []).extend(epochs_of(_config(row, seed), data, threads))
        print(f"round {seed + 1}: {' '.join(map(str, key))}, {threads} threads", file=sys.stderr, flush=True)
    return tuple(_rate(row, data, times[key, 1], times[key, 2]) for key, row in rows.items())


def epochs_of(config: RunConfig, data: CrystalPropertyDataset, threads: int) -> list[EpochTimes]:
    """Train a few epochs, and return the times of all but the first and the last."""
    torch.set_num_threads(threads)
    part, clock = subset(data, config), Clock()
    with tempfile.TemporaryDirectory() as name:
        paths = (Path(name) / file for file in ("best.pt", "checkpoint.pt", "previous.pt", "history.json"))
        Trainer(config, part, TrainingFiles(*paths), run_id="bench", callback=clock).fit()
    return clock.epochs[1:-1]


def subset(data: CrystalPropertyDataset, config: RunConfig) -> CrystalPropertyDataset:
    """Choose crystals evenly by the size of their graphs, so that their mean is that of all."""
    graphs = data.graphs
    size = np.diff(graphs.link_offset if config.algorithm == "cgcnn" else graphs.edge_offset)
    model = config.model
    count = CRYSTALS[config.algorithm, model.preset if model.kind == "cgcnn" else model.size]

    def evenly(part: NDArray[np.int64], most: int) -> NDArray[np.int64]:
        chosen = np.linspace(0, len(part) - 1, min(most, len(part))).round().astype(np.int64)
        return part[np.argsort(size[part], kind="stable")[chosen]]

    split = data.split
    return dataclasses.replace(
        data, split=Split(evenly(split.train, count), evenly(split.val, count // 8), evenly(split.test, 2))
    )


def start_and_graphs(crystals: int) -> tuple[float, float]:
    """Measure the CPU time of a run without its epochs, and of the graphs of one crystal, by two real runs."""
    command = [sys.executable, "-m", "phase2", "train", "--algorithm", "cgcnn", "--level", "smoke"]
    command += ["--epochs", "1", "--max-samples", "40"]
    with tempfile.TemporaryDirectory() as folder:
        first, again = (cpu_of([*command, "--output", f"{folder}/{k}"], cache=f"{folder}/cache") for k in "ab")
    return round(again, 2), round(max(0.0, first - again) / crystals, 7)


def cpu_of(command: Sequence[str], *, cache: str) -> float:
    """Measure the CPU time of a command with one thread, its processes included; seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"PHASE2_CACHE_DIR": cache, "OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare_properties(data: CrystalPropertyDataset, rounds: int) -> None:
    """Print how the time of an epoch depends on the number of properties, where the network is smallest."""
    config = _config(PROFILES["cgcnn", "smoke"], 0)
    every = resolve(RunRequest(all_properties=True)).config
    more = CrystalPropertyDataset.load(every.data, every.properties, drop_unlabelled_properties=True)
    more = dataclasses.replace(more, split=data.split)
    times = [[steps.cpu for _ in range(rounds) for steps, *_ in epochs_of(config, one, 1)] for one in (data, more)]
    few, many = map(statistics.median, times)
    print(f"{len(more.properties)} properties rather than {len(data.properties)}, cgcnn small: {many / few:.2f} x")


def _config(row: Profile, seed: int) -> RunConfig:
    level = None if row.mode == "competition" else row.mode
    config = resolve(RunRequest(algorithm=row.algorithm, level=level, competition=level is None)).config
    training = config.training.model_copy(update={"epochs": EPOCHS})
    return config.model_copy(update={"training": training, "seed": seed})


def _rate(
    row: Profile,
    data: CrystalPropertyDataset,
    one: list[EpochTimes],
    two: list[EpochTimes],
) -> NetworkRate:
    part = subset(data, _config(row, 0)).split
    alone, together = _quietest(one), _quietest(two)
    slow = statistics.median(steps.cpu + end.cpu for steps, end in alone)
    rate = NetworkRate(
        algorithm=row.algorithm,
        size=row.size,
        batch_size=row.batch_size,
        crystals=len(part.train),
        train=_spread([steps.cpu / len(part.train) for steps, _ in alone]),
        validation=_spread([end.cpu / len(part.val) for _, end in alone]),
        speedup=_spread([slow / (steps.wall + end.wall) for steps, end in together]),
    )
    print(
        f"{row.algorithm} {row.size}, batches of {row.batch_size}: {_text(rate.train)} ms per crystal, "
        f"{_text(rate.validation)} ms per validated crystal; two threads {rate.speedup.median:.2f} x as fast "
        f"({rate.speedup.lowest:.2f} to {rate.speedup.highest:.2f}); {len(alone)} and {len(together)} epochs, while "
        f"others used at most {_most_disturbed(alone):.2f} and {_most_disturbed(together):.2f} cores",
        flush=True,
    )
    return rate


def _quietest(epochs: Sequence[EpochTimes]) -> list[EpochTimes]:
    """Choose the undisturbed epochs, or the less disturbed half where there are fewer."""
    ordered = sorted(epochs, key=lambda times: times[0].others)
    quiet = [times for times in ordered if times[0].others < QUIET]
    return max(quiet, ordered[: max(1, len(ordered) // 2)], key=len)


def _most_disturbed(epochs: Sequence[EpochTimes]) -> float:
    return max(steps.others for steps, _ in epochs)


def _spread(values: Sequence[float]) -> Spread:
    return Spread(
        median=_rounded(statistics.median(values)), lowest=_rounded(min(values)), highest=_rounded(max(values))
    )


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _text(spread: Spread) -> str:
    return f"{1e3 * spread.median:.3g} ({1e3 * spread.lowest:.3g} to {1e3 * spread.highest:.3g})"


if __name__ == "__main__":
    main()
