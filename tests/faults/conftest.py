"""Shared fixtures of the fault tests: processes that can be killed, the uninterrupted run, and the counts."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from .processes import Processes, only_run

ROUNDS = float(os.environ.get("PHASE2_FAULT_ROUNDS", "1"))
"""Scales how often each fault is injected."""

COUNT = "count: "
WORDS = ["train", "--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--batch-size", "16"]
EVERY_STEP = ["--checkpoint-minutes", "0.000001"]
"""Starts a checkpoint as soon as the last one is on the disk, so that kills often hit one."""


@pytest.fixture(scope="session")
def processes(tmp_path_factory) -> Iterator[Processes]:
    cache = tmp_path_factory.mktemp("cache")
    with Processes(tmp_path_factory.mktemp("logs"), {"PHASE2_CACHE_DIR": str(cache)}) as running:
        yield running


@pytest.fixture(scope="session")
def train(processes):
    """Function that runs the training of all fault tests into a folder, for a number of epochs."""

    def run(output: Path, *words: str, epochs: int = 12, **order):
        return processes.run([*WORDS, "--epochs", str(epochs), *EVERY_STEP, "--output", str(output), *words], **order)

    return run


@pytest.fixture(scope="session")
def whole(train, tmp_path_factory):
    """Function that returns the run directory of the uninterrupted training of a number of epochs."""
    made = {}

    def run(epochs: int = 12):
        if epochs not in made:
            folder = tmp_path_factory.mktemp("whole")
            ended = train(folder, epochs=epochs)
            assert ended.code == 0, ended.said
            made[epochs] = only_run(folder)
        return made[epochs]

    return run


@pytest.fixture(scope="session")
def pace(train, whole, tmp_path_factory) -> float:
    """Duration of the uninterrupted training, seconds; kills come at random within it."""
    whole()
    begun = time.monotonic()
    assert train(tmp_path_factory.mktemp("pace")).code == 0
    return time.monotonic() - begun


@pytest.fixture
def done(record_property) -> Iterator[Counter[str]]:
    """Counts of what a test injected and tried, by name; summed and printed at the end of the session."""
    counts: Counter[str] = Counter()
    yield counts
    for what, n in counts.items():
        record_property(f"{COUNT}{what}", n)


def pytest_terminal_summary(terminalreporter):
    """Print how often each fault was injected, and what was tried."""
    counts: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "teardown":
                for name, n in report.user_properties:
                    if name.startswith(COUNT):
                        counts[name.removeprefix(COUNT)] += n
    if counts:
        terminalreporter.section("faults injected, and what was tried")
        for what, n in sorted(counts.items()):
            terminalreporter.write_line(f"{n:>8,}  {what}")
