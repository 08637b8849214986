"""Training steps that are replayed from a recording where that is faster."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from torch import Tensor

from phase2.data.batching import Batch
from phase2.data.padding.shape import BatchShape
from phase2.models.recording.recorder import Recorder, Work
from phase2.runs.records.execution import StepTrial

WARM_UP = 3
"""Steps before the first that is timed or recorded: libraries initialise themselves in them."""
MOST = 64
"""Most sizes of batches that are recorded; steps on others are run as they are written."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Recording:
    batch: Batch
    replay: Work


class RecordedSteps:
    """Training steps, recorded for each size of batches where a short trial finds that faster.

    The trial uses the first size of batches that there is: some steps are run as they are written and some from a
    recording. All of them are steps of the training, which does not depend on the outcome.

    Args:
        work: Takes one step on a batch, with the same operations on the same tensors for every batch of a size.
        recorder: Records on the device.
    """

    def __init__(self, work: Callable[[Batch], Tensor], recorder: Recorder) -> None:
        self._work = work
        self._recorder = recorder
        self._recordings: dict[BatchShape, _Recording] = {}
        self._seen: set[BatchShape] = set()
        self._steps = 0
        self._tried: BatchShape | None = None
        self._plain: list[float] = []
        self._replayed: list[float] = []
        self._refused: str | None = None

    def __call__(self, batch: Batch) -> Tensor:
        """Take one step, and return what the work does."""
        self._steps += 1
        if self._steps <= WARM_UP:
            return self._recorder.warm_up(lambda: self._work(batch))
        shape = BatchShape.of(batch)
        if self._is_decided:
            return self._step(batch, shape) if self.is_recorded else self._work(batch)
        return self._try(batch, shape)

    @property
    def is_recorded(self) -> bool:
        """Whether recorded steps were found to be faster."""
        return self._is_decided and self._refused is None and median(self._replayed) < median(self._plain)

    @property
    def trial(self) -> StepTrial | None:
        """What the trial found; None while it has not ended."""
        if not self._is_decided:
            return None
        replayed = median(self._replayed) if self._refused is None else None
        return StepTrial(eager_ms=median(self._plain), recorded_ms=replayed, refused=self._refused)

    def forget(self) -> None:
        """Drop the recordings, because the tensors that they read and write are no longer those of the training."""
        self._recordings.clear()
        self._seen.clear()
        self._steps = 0

    @property
    def _is_decided(self) -> bool:
        return self._refused is not None or len(self._replayed) == self._recorder.trial_steps

    def _try(self, batch: Batch, shape: BatchShape) -> Tensor:
        if self._tried is None:
            self._tried = shape
        if shape != self._tried:
            return self._work(batch)
        if len(self._plain) < self._recorder.trial_steps:
            result, time = self._recorder.milliseconds(lambda: self._work(batch))
            self._plain.append(time)
            return result
        if shape not in self._recordings:
            return self._record(batch, shape)
        result, time = self._recorder.milliseconds(lambda: self._replay(batch, shape))
        self._replayed.append(time)
        return result

    def _step(self, batch: Batch, shape: BatchShape) -> Tensor:
        """Replay a step, or record it where its size comes a second time."""
        if shape in self._recordings:
            return self._replay(batch, shape)
        if shape in self._seen and len(self._recordings) < MOST:
            return self._record(batch, shape)
        self._seen.add(shape)
        return self._work(batch)

    def _replay(self, batch: Batch, shape: BatchShape) -> Tensor:
        recording = self._recordings[shape]
        recording.batch.fill(batch)
        return recording.replay()

    def _record(self, batch: Batch, shape: BatchShape) -> Tensor:
        own = batch.clone()
        try:
            result, replay = self._recorder.record(lambda: self._work(own))
        except RuntimeError as error:
            self._refused = str(error).split("\n", 1)[0]
            self._recordings.clear()
            _LOG.warning("Steps are run as they are written, since they cannot be recorded: %s", self._refused)
            return self._work(batch)
        self._recordings[shape] = _Recording(own, replay)
        return result
