"""Newest state of a run that trains, which the training writes for those who watch it from elsewhere.

In the run directory it is ``.progress.json``, rewritten every few seconds; in a store it is next to the checkpoints.
It is removed when the run is finished, whose manifest says more.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from phase2.config.levels import Algorithm, Mode
from phase2.runs.records.history import EpochRow
from phase2.storage.records import Counted, Record

Phase = Literal["training", "finishing", "ended"]
MOST_ROWS = 100


class GpuRecord(Record):
    """Use of the GPU.

    Attributes:
        utilization: Share of the last second in which it computed, 0 to 1; null where the driver does not say.
        used_bytes: Memory in use, by all processes; null where the driver does not say.
        total_bytes: Its memory.
    """

    utilization: float | None
    used_bytes: Counted | None
    total_bytes: Counted


class LiveRecord(Record):
    """State of a run while it trains.

    Attributes:
        run_id: Id of the run.
        algorithm: ``e3nn`` or ``cgcnn``.
        mode: The level, or ``competition``.
        attempt: Number of the attempt.
        host: Machine or pod.
        device: Device of the model.
        phase: ``training``, ``finishing`` after the last step, or ``ended`` before it.
        started: When the training of this attempt started.
        updated: When this was written.
        last_step: When the last step ended, or the training started.
        step: Steps taken.
        steps: Steps in all.
        epochs: Epochs in all.
        rate: Crystals per second; null before that is known.
        eta_seconds: Estimated time until the last step; null before that is known.
        gpu: Use of the GPU; null without one.
        rows: Epochs so far, thinned where there are many; the last and the best are always there.
    """

    schema_version: Counted = 1
    run_id: str
    algorithm: Algorithm
    mode: Mode
    attempt: Counted
    host: str
    device: str
    phase: Phase
    started: AwareDatetime
    updated: AwareDatetime
    last_step: AwareDatetime
    step: Counted
    steps: Counted
    epochs: Counted
    rate: float | None = None
    eta_seconds: float | None = None
    gpu: GpuRecord | None = None
    rows: tuple[EpochRow, ...] = ()
