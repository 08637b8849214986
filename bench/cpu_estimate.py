"""Estimated times of runs on a CPU, compared with the CPU time of real runs with one thread.

CPU time, which other processes hardly change: with one thread on an idle core it is the time on the clock.
"""

from __future__ import annotations

import argparse
import sys
import tempfile

from bench.cpu_rates import cpu_of
from phase2.cluster.estimate.work import estimate
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve

RUNS = (
    RunRequest(algorithm="e3nn", level="lite"),
    RunRequest(algorithm="e3nn", level="smoke"),
    RunRequest(algorithm="e3nn", level="pro", epochs=2, max_samples=600),
    RunRequest(algorithm="cgcnn", level="lite"),
    RunRequest(algorithm="cgcnn", level="std", epochs=15),
)


def main() -> None:
    """Print a line per run; a ratio above 1 means that the estimate is too high."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for request in RUNS:
        work = estimate(resolve(request).config, on_gpu=False, cores=1)
        assert work.seconds is not None
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", *request.command(), "--output", f"{folder}/models"]
            measured = cpu_of(command, cache=f"{folder}/cache")
        name = " ".join(request.command()[2:])
        print(f"{name:<60} estimated {work.seconds:>6.1f} s, took {measured:>6.1f} s: {work.seconds / measured:.2f}")


if __name__ == "__main__":
    main()
