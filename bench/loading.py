"""Loading of training batches from 2,000 to a million crystals: cost of a crystal, memory, and what processes share.

    python -m bench.loading --folder /path/with/room [--sizes 20000 100000 1000000]

The stores hold the graphs of perturbed crystals of the sample with ten atoms (bench/perturbed.py), 2,000 different ones
that are repeated in random order: what a crystal costs depends on where its numbers lie, not on what they are. They are
written by the writer of graph stores, 4.1 KB a crystal, and removed at the end.

Batches are those of a training: drawn, gathered and collated by `TrainingLoader`, on the CPU. The store and one of
2,000 crystals are loaded in turn by one process, so that a busy machine slows both alike; medians of its processor
time count. The first epoch also maps the pages of the files. Memory is that of the process alone (resident and not
shared), at its peak within an epoch and above what it has when the store is open.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

import numpy as np
import torch

from bench.own_memory import mapped_memory, peak_memory
from bench.repeated_store import DIFFERENT, loader_of, write_store
from phase2.data.batching import Batch, View
from phase2.training.loader import TrainingLoader

SIZES = (20_000, 100_000, 1_000_000)
VIEWS: tuple[View, ...] = ("crystal", "quotient")
PIECE, PIECES = 10_000, 21  # crystals in turn of the one store and of the other; the first turn warms up
TARGET = 1.1  # times the cost of a crystal in the smallest store


def main() -> int:
    options = _options()
    if options.step:
        STEPS[options.step](options)
        return 0
    met = True
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="loading-") as folder:
        smallest = Path(folder) / "smallest"
        write_store(smallest, DIFFERENT)
        for size in options.sizes:
            store = Path(folder) / f"store-{size}"
            megabytes = write_store(store, size) / 1e6
            print(f"{size:>9,} crystals, {megabytes:,.0f} MB", flush=True)
            for view in options.views:
                row = measured(_command("epochs", store, view, smallest))
                met &= row["ratio"] <= TARGET
                print(f"{view:>9} {_line(row)}", flush=True)
            print(f"{'':>9} two processes: {_shared(store)}", flush=True)
            shutil.rmtree(store)
    print(f"target: a crystal costs at most {TARGET} times as much: {'met' if met else 'NOT MET'}")
    return 0 if met else 1


def epochs(options: argparse.Namespace) -> None:
    """Time a store and the smallest one in turn, per crystal; and measure the memory that an epoch takes."""
    torch.set_num_threads(1)
    loader, smallest = loader_of(options.store, options.views[0]), loader_of(options.smallest, options.views[0])
    with peak_memory() as peak:
        start = time.process_time()
        load_epoch(loader, 0)
        first = (time.process_time() - start) / loader.size * 1e6
    turns = [Endless(loader), Endless(smallest)]
    times = np.array([[one.load(PIECE) for one in turns] for _ in range(PIECES)])
    cost, least = np.median(times[1:], axis=0) + [one.drawing for one in turns]
    row = {"first": first, "cost": cost, "smallest": least, "ratio": cost / least, "memory": peak[0] / 1e6}
    print(json.dumps(row))


def load_epoch(loader: TrainingLoader, k: int) -> None:
    """Load the batches of an epoch, and count their crystals."""
    seen = sum(batch.n_crystals for batch in loader.epoch(k))
    if seen != loader.size:
        raise RuntimeError(f"{seen} crystals were loaded, not {loader.size}.")


class Endless:
    """Epoch after epoch of a loader.

    Attributes:
        drawing: Processor time of drawing an epoch, and its first batch, for each of its crystals, microseconds.
    """

    def __init__(self, loader: TrainingLoader) -> None:
        self._loader, self._epoch, self.drawing = loader, 1, 0.0
        self._batches = self._draw()

    def load(self, crystals: int) -> float:
        """Load so many crystals; return the processor time of one, microseconds, without drawing."""
        seen, spent = 0, 0.0
        while seen < crystals:
            start = time.process_time()
            batch = next(self._batches, None)
            if batch is None:
                self._batches = self._draw()
                continue
            seen, spent = seen + batch.n_crystals, spent + time.process_time() - start
        return spent / seen * 1e6

    def _draw(self) -> Generator[Batch]:
        self._epoch += 1
        batches, start = self._loader.epoch(self._epoch), time.process_time()
        next(batches)
        self.drawing = (time.process_time() - start) / self._loader.size * 1e6
        return batches


def hold(options: argparse.Namespace) -> None:
    """Load an epoch, say so, and measure the share of the store's pages once the other process has done the same."""
    loader = loader_of(options.store, options.views[0])
    load_epoch(loader, 0)
    print("loaded", flush=True)
    sys.stdin.readline()  # until the other process has loaded it too
    print(json.dumps(mapped_memory(options.store)), flush=True)
    sys.stdin.readline()  # until the other process has measured
    del loader


STEPS = {"epochs": epochs, "hold": hold}


def two_processes(store: Path, view: View = "crystal") -> list[dict[str, float]]:
    """Let two processes load an epoch each, and measure while both hold the store."""
    with ExitStack() as stack:
        both = [stack.enter_context(_piped(_command("hold", store, view))) for _ in range(2)]
        pipes = [(cast("IO[str]", one.stdin), cast("IO[str]", one.stdout)) for one in both]
        if [answer.readline().strip() for _, answer in pipes] != ["loaded"] * 2:
            raise RuntimeError("A process that loads batches has failed.")
        answers = []
        for request, answer in pipes:
            request.write("\n")
            request.flush()
            answers.append(json.loads(answer.readline()))
        return answers  # leaving closes their standard input, which ends them


def _piped(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _shared(store: Path) -> str:
    one, other = two_processes(store)
    return (
        f"{one['rss']:.0f} and {other['rss']:.0f} MB of the store in memory, "
        f"shares of {one['pss']:.0f} and {other['pss']:.0f} MB"
    )


def measured(command: list[str]) -> dict[str, float]:
    """Run a step in a process of its own; return its answer."""
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def _command(name: str, store: Path, view: View, smallest: Path | None = None) -> list[str]:
    words = ["--step", name, "--store", str(store), "--views", view]
    return [sys.executable, "-m", "bench.loading", *words, *(["--smallest", str(smallest)] if smallest else [])]


def _line(row: dict[str, float]) -> str:
    return (
        f"{row['cost']:6.2f} us a crystal, {row['ratio']:.2f} times those of {DIFFERENT:,} crystals "
        f"({row['smallest']:.2f}); "
        f"first epoch {row['first']:.2f} us; {row['memory']:.0f} MB in an epoch"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where there is room")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--views", choices=VIEWS, nargs="+", default=VIEWS)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--smallest", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
