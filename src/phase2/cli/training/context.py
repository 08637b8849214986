"""The settings of this process for a run that it trains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from phase2.cli.console import note
from phase2.cli.training.follow import joined
from phase2.cli.training.monitoring import Monitoring
from phase2.cli.training.processes import Processes
from phase2.cli.training.tracking import tracked_run

if TYPE_CHECKING:
    from phase2.cli.notification import Ending
    from phase2.config.resolve import ResolvedRun
    from phase2.storage.base import Store
    from phase2.training.run.experiment import RunContext


@contextmanager
def run_context(  # noqa: PLR0913 - keywords
    *,
    workers: int | None,
    place: Store | None,
    checkpoint_minutes: float,
    monitoring: Monitoring,
    device: Processes,
    baselines: bool,
    trackers: tuple[str, ...],
    alone: bool = False,
    ending: Ending | None = None,
    checked: ResolvedRun | None = None,
) -> Iterator[RunContext]:
    """Provide the settings of this process for one run; ``checked`` has been compared with the memory limit."""
    from phase2.training.callbacks.composite import CompositeCallback
    from phase2.training.checkpoints.writer import CheckpointSchedule
    from phase2.training.interruption import SignalStopRequest
    from phase2.training.parallel.group import WorkerGroup
    from phase2.training.run.experiment import RunContext

    with (
        SignalStopRequest() as stop,
        monitoring.callbacks() as callbacks,
        tracked_run(trackers, ending) as pages,
    ):
        own = device.own_device()
        yield RunContext(
            workers=workers,
            store=place,
            schedule=CheckpointSchedule(minutes=checkpoint_minutes),
            device=own,
            group=WorkerGroup() if alone else joined(own),
            callback=CompositeCallback([*callbacks, *pages]),
            stop=stop,
            notify=note,
            with_baselines=baselines,
            memory_checked_for=checked.config if checked else None,
        )
