"""Options of the commands that train, about what the process shows: progress, stalls, metrics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from phase2.cli.console import note
from phase2.cli.options import request_option
from phase2.cli.training.continuation import way_to_continue
from phase2.config.settings import STALL_MINUTES, check_log_format, termination_log
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.training.callbacks.base import Callback

StallOption = Annotated[
    float,
    request_option(
        "--stall-minutes",
        help=f"End with exit code 75 after so long without a step; 0 waits for ever (default: {STALL_MINUTES:g}).",
    ),
]
MetricsOption = Annotated[
    int | None,
    request_option("--metrics-port", help="Serve metrics for Prometheus on this port, at /metrics (default: none)."),
]
TextfileOption = Annotated[
    Path | None,
    request_option(
        "--metrics-textfile",
        help="Write the same metrics into this file, *.prom, for the textfile collector of node_exporter.",
    ),
]
LogFormatOption = Annotated[
    str | None,
    request_option(
        "--log-format",
        help="Lines on standard output: text, or json for programs (default: text on a terminal and in a pod, else "
        "json).",
    ),
]


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What a process that trains shows of it; changes no number of the run.

    Attributes:
        stall_minutes: Minutes without a step after which it ends; 0 waits for ever.
        metrics_port: Port of the metrics; None serves none.
        metrics_textfile: File of the metrics; None writes none.
        log_format: ``text`` or ``json``; None chooses by where the output goes.

    Raises:
        RequestError: A value is invalid.
    """

    stall_minutes: float
    metrics_port: int | None = None
    metrics_textfile: Path | None = None
    log_format: str | None = None

    def __post_init__(self) -> None:
        check_log_format(self.log_format, "--log-format")
        if not 0 <= self.stall_minutes < float("inf"):
            raise RequestError(
                f"--stall-minutes {self.stall_minutes} is not a number of minutes.",
                fix="Give 30, say, or 0 to wait for ever.",
            )

    @contextmanager
    def callbacks(self) -> Iterator[list[Callback]]:
        """Provide the callbacks: progress, a stall detector, and metrics on a port or in a file."""
        from phase2.training.callbacks.begin_note import BeginNote
        from phase2.training.callbacks.default import default_callbacks

        lines = check_log_format(self.log_format, "--log-format")
        callbacks: list[Callback] = [BeginNote(note), *default_callbacks(lines)]
        if self.stall_minutes:
            from phase2.cli.process.boundary import abort_process
            from phase2.training.stall.detector import RESUME, StallDetector

            in_pod = termination_log() is not None
            again = way_to_continue() or RESUME
            callbacks.append(StallDetector(self.stall_minutes, abort_process, again=again, last_resort=in_pod))
        with ExitStack() as stack:
            if self.metrics_port is not None:
                from phase2.training.telemetry.server import serve_metrics

                callbacks.append(stack.enter_context(serve_metrics(self.metrics_port)))
            if self.metrics_textfile is not None:
                from phase2.training.telemetry.textfile import write_metrics

                callbacks.append(stack.enter_context(write_metrics(self.metrics_textfile)))
            yield callbacks
