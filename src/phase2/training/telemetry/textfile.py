"""Metrics in a file, for the textfile collector of Prometheus' node_exporter."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, write_to_textfile

from phase2.errors import RequestError
from phase2.training.callbacks.progress import TrainingProgress
from phase2.training.telemetry.collector import TrainingCollector
from phase2.training.telemetry.periodic import repeated

PERIOD = 15.0
"""Seconds between two writes: node_exporter is scraped no more often."""
_LOG = logging.getLogger(__name__)


@contextmanager
def write_metrics(path: Path) -> Iterator[TrainingProgress]:
    """Keep a file of metrics up to date during a block, each time replaced as a whole; the last state stays.

    Args:
        path: The file, ``*.prom``.

    Yields:
        Callback of the training whose metrics are written.

    Raises:
        RequestError: The file cannot be written, or node_exporter would not read it.
    """
    if path.suffix != ".prom":
        raise RequestError(
            f"--metrics-textfile {path} does not end in .prom.",
            why="node_exporter reads no other file.",
            fix=f"Name it {path.with_suffix('.prom')}.",
        )
    registry, progress = CollectorRegistry(), TrainingProgress()
    registry.register(TrainingCollector(progress))
    try:
        write_to_textfile(str(path), registry)
    except OSError as error:
        raise RequestError(
            f"Metrics cannot be written to {path}.",
            why=f"{error.strerror}.",
            fix="Name a file in a writable folder with --metrics-textfile, or leave it out.",
        ) from error

    def write() -> None:
        try:
            write_to_textfile(str(path), registry)
        except OSError as error:  # a full disk must not end the training
            _LOG.warning("Metrics are not written to %s: %s", path, error)

    with repeated(write, PERIOD, name="metrics-textfile"):
        yield progress
