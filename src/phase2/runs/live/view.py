"""What there is to see of one run, wherever it was read. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from phase2.runs.live.points import EpochPoint, best_point
from phase2.runs.live.record import GpuRecord
from phase2.runs.records.attempts import Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One run, as far as it is known to those who watch it.

    Attributes:
        run_id: Id of the run.
        algorithm: ``e3nn`` or ``cgcnn``; ``-`` while it is not known.
        mode: The level, or ``competition``; ``-`` while it is not known.
        state: Keyword, such as ``running``, ``finished`` or ``interrupted``.
        has_ended: Whether nothing works on the run any more.
        message: More about the state, such as why it ended; may be empty.
        where: Machine, pod or node that trains it.
        device: Device of the model; "" while it is not known.
        attempts: The attempts, as far as they are recorded.
        attempt: Number of the current or last attempt; 0 while it is not known.
        started: When the current attempt started to train.
        updated: When the numbers were written; None where they are those of now.
        step: Steps taken; 0 while that is not known.
        steps: Steps in all; 0 while that is not known.
        epochs: Epochs in all; 0 while that is not known.
        rate: Crystals per second.
        eta_seconds: Seconds until the last step, counted from ``updated``.
        gpu: Use of the GPU.
        points: Epochs that are finished, thinned where there are many.
    """

    run_id: str
    algorithm: str = "-"
    mode: str = "-"
    state: str
    has_ended: bool = False
    message: str = ""
    where: str = ""
    device: str = ""
    attempts: tuple[Attempt, ...] = ()
    attempt: int = 0
    started: datetime | None = None
    updated: datetime | None = None
    step: int = 0
    steps: int = 0
    epochs: int = 0
    rate: float | None = None
    eta_seconds: float | None = None
    gpu: GpuRecord | None = None
    points: tuple[EpochPoint, ...] = ()

    @property
    def epoch(self) -> int:
        """Epochs finished."""
        return self.points[-1].epoch if self.points else 0

    @property
    def best(self) -> EpochPoint | None:
        """The best epoch so far; None before the first."""
        return best_point(self.points)

    @property
    def done(self) -> float | None:
        """Share of the steps that were taken, or else of the epochs; None while that is not known."""
        if self.steps:
            return min(1.0, self.step / self.steps)
        return min(1.0, self.epoch / self.epochs) if self.epochs else None

    def left(self, now: datetime | None = None) -> float | None:
        """Return the estimated seconds until the last step; None where the run has ended, or that is not known."""
        if self.has_ended or self.eta_seconds is None:
            return None
        return max(0.0, self.eta_seconds - (self.age(now) or 0.0))

    def age(self, now: datetime | None = None) -> float | None:
        """Return the seconds since the numbers were written; None where they are those of now."""
        return None if self.updated is None else ((now or datetime.now(UTC)) - self.updated).total_seconds()
