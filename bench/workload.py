"""Shared parts of the benchmarks of data and models: crystals, a clock, and the command line."""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable

import torch

from phase2.config.schema import GraphSpec
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.graphs.packing import pack_valid
from phase2.data.sources.registry import open_source
from phase2.errors import InvalidCrystalError


def arguments(description: str, *, batch_size: int) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--data", default="sample", help="data set or path")
    parser.add_argument("--crystals", type=int, default=1500, help="crystals read")
    parser.add_argument("--most-atoms", type=int, default=40, help="larger cells are left out")
    parser.add_argument("--batch-size", type=int, default=batch_size)
    parser.add_argument("--rounds", type=int, default=7, help="times each contestant runs, in turn")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--size", default="medium", choices=("small", "medium", "large"))
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(0)
    return chosen


def crystals(chosen: argparse.Namespace) -> PackedGraphs:
    source = open_source(chosen.data)
    found = []
    for raw in source.records():
        try:
            labelled = source.parse(raw)
        except InvalidCrystalError:
            continue
        if labelled.crystal.n_atoms <= chosen.most_atoms:
            found.append(labelled)
        if len(found) == chosen.crystals:
            break
    graphs, _ = pack_valid(found, GraphSpec())
    counts = {kind: graphs.offset(kind)[-1] / len(graphs) for kind in ("atom", "edge", "bond", "node", "link")}
    averages = ", ".join(f"{count:.1f} {kind}s" for kind, count in counts.items())
    print(f"{len(graphs)} crystals of {chosen.data}; on average {averages}")
    print(f"{chosen.threads} threads, batches of {chosen.batch_size}")
    return graphs


def compare(contestants: dict[str, Callable[[int], object]], *, rounds: int, per_call: int) -> dict[str, float]:
    """Measure the crystals per second of each contestant; they run in turn, so that a busy machine slows all alike.

    Args:
        contestants: Called with the number of the round; one call works on ``per_call`` crystals.
        rounds: Rounds; the median counts, after one round to warm up.
        per_call: Crystals per call.
    """
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for k, (name, work) in itertools.product(range(rounds + 1), contestants.items()):
        start = time.perf_counter()
        work(k)
        if k:
            times[name].append(time.perf_counter() - start)
    return {name: per_call / statistics.median(seconds) for name, seconds in times.items()}


def report(rates: dict[str, float], *, baseline: str) -> None:
    for name, rate in rates.items():
        print(f"{name:<44} {rate:>10.0f} crystals/s   {rate / rates[baseline]:>6.2f} x")
