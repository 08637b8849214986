"""Training loop: epochs of steps, each epoch validated, saved and reported."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from phase2.config.schema import RunConfig
from phase2.errors import CallbackError, PreemptedError
from phase2.properties import KEYS
from phase2.runs.history import EpochRow, write_history
from phase2.training.calibration import calibrate
from phase2.training.callbacks.base import Callback, EpochEnd, StepEnd, TrainBegin, TrainEnd
from phase2.training.checkpoints.best_model import BestModel
from phase2.training.checkpoints.newest import restore_newest
from phase2.training.checkpoints.writer import CheckpointSchedule, CheckpointWriter, SavedCheckpoint
from phase2.training.evaluation import Evaluator
from phase2.training.fine_tuning.start import StartingPoint
from phase2.training.initial import initial_model
from phase2.training.interruption import StopRequest
from phase2.training.learner import Learner
from phase2.training.loader import TrainingData, TrainingLoader
from phase2.training.metrics import refuse_overflow, score
from phase2.training.objective import binary_columns
from phase2.training.result import TrainingFiles, TrainingResult
from phase2.training.state import TrainingState
from phase2.training.stopwatch import Stopwatch

_LOG = logging.getLogger(__name__)


class Trainer:
    """Training of one model, from its first step or from a checkpoint to its best epoch.

    Everything that a step depends on is in the checkpoint: interrupted and resumed, a run on the CPU ends bit for bit
    where it would have ended (with the same number of threads).

    Args:
        config: The run.
        data: Crystals, labels, split and scaler.
        files: Paths to write.
        run_id: Name of the run, for the model file.
        device: Device of the model.
        callback: Receives the progress.
        schedule: How often checkpoints are saved.
        on_saved: Callback receiving, in another thread, each checkpoint that is on the disk.
        start: What the training takes over from a trained model; None begins with random weights.
    """

    def __init__(  # noqa: PLR0913 - keywords
        self,
        config: RunConfig,
        data: TrainingData,
        files: TrainingFiles,
        *,
        run_id: str,
        device: torch.device | str = "cpu",
        callback: Callback | None = None,
        schedule: CheckpointSchedule | None = None,
        on_saved: Callable[[SavedCheckpoint], None] = lambda _: None,
        start: StartingPoint | None = None,
    ) -> None:
        device = torch.device(device)
        settings, lineage = config.training, start.lineage if start else None
        model = initial_model(config, data, start=start, device=device)
        self._loader = TrainingLoader(
            data,
            view=model.view,
            batch_size=settings.batch_size,
            seed=config.seed,
            device=device,
            padding_buckets=settings.padding_buckets,
        )
        self._evaluator = Evaluator(data, self._loader, settings.loss)
        steps = settings.epochs * self._loader.n_batches
        learner = Learner(
            model,
            len(data.scaler.properties),
            settings,
            steps=steps,
            weights=self._loader.label_weights(settings.label_exponent),
            binary=binary_columns(data.scaler.properties),
            fine_tuning=config.fine_tuning,
        )
        best = BestModel(learner.average.module, files.best, config=config, data=data, run_id=run_id, lineage=lineage)
        self._state = TrainingState(config, data.fingerprint, learner=learner, best=best, device=device)
        self._config = config
        self._data = data
        self._files = files
        self._run_id = run_id
        self._callback = callback or Callback()
        self._schedule = schedule or CheckpointSchedule()
        self._on_saved = on_saved

    @property
    def epoch(self) -> int:
        """Epochs finished."""
        return self._state.epoch

    @property
    def step(self) -> int:
        """Steps taken."""
        return self._state.learner.done

    @property
    def history(self) -> tuple[EpochRow, ...]:
        """Rows of the epochs finished."""
        return tuple(self._state.history)

    def resume(self, *, accepted: Collection[str] = ()) -> str:
        """Continue from the newest usable checkpoint.

        Args:
            accepted: ``code`` accepts changed code.

        Returns:
            Accepted changes since the checkpoint, described; empty when there are none.

        Raises:
            ModelFileError: It is missing or unusable, belongs to another run, or data or code have changed.
        """
        return restore_newest(self._files, lambda checkpoint: self._state.restore(checkpoint, accepted=accepted))

    def fit(self, stop: StopRequest | None = None) -> TrainingResult:
        """Train to the end.

        Args:
            stop: Request to stop, read after every step; None never stops.

        Raises:
            PreemptedError: A stop was requested; the checkpoint is written.
            CallbackError: A callback raised; the checkpoint is written.
            RequestError: The training diverged.
        """
        stop, state = stop or StopRequest(), self._state
        epochs, steps = self._config.training.epochs, state.learner.steps
        begin = TrainBegin(self._run_id, epochs, steps, self.step)
        with self._reported_end():
            self._callback.on_train_begin(begin)
            with stop.deferred(), CheckpointWriter(self._files, state.best, self._schedule, self._on_saved) as writer:
                try:
                    while not state.is_finished:
                        self._run_epoch(stop, writer)
                except CallbackError:
                    self._save_before_end(writer)
                    raise
        return self._result()

    @contextmanager
    def _reported_end(self) -> Iterator[None]:
        """Report how the training ended; a callback that fails in turn does not hide why it did."""
        try:
            yield
        except BaseException as error:
            outcome: Literal["stopped", "failed"] = "stopped" if isinstance(error, PreemptedError) else "failed"
            try:
                self._callback.on_train_end(TrainEnd(self.step, outcome))
            except CallbackError:
                _LOG.exception("A callback failed at the end of a training that had ended with an error.")
            raise
        self._callback.on_train_end(TrainEnd(self.step, "finished"))

    def _run_epoch(self, stop: StopRequest, writer: CheckpointWriter) -> None:
        state, learner, watch = self._state, self._state.learner, Stopwatch()
        with closing(self._loader.epoch(state.epoch, skip=len(state.losses))) as batches:
            for batch in watch.over(batches):
                state.losses.append(learner.step(batch))
                self._callback.on_step_end(StepEnd(self.step, learner.steps, batch.n_real, learner.rate))
                if stop.reason:
                    self._preempt(stop.reason, writer)
                if writer.is_due(epoch_ended=False):
                    state.checked_losses()
                    writer.save(state.checkpoint)
        losses = state.checked_losses()
        watch.end_training()
        self._finish_epoch(self._validate(losses, watch), writer)

    def _preempt(self, reason: str, writer: CheckpointWriter) -> None:
        self._save_before_end(writer)
        raise PreemptedError(
            f"Stopped by {reason} after step {self.step} of {self._state.learner.steps}.",
            why=f"The checkpoint {self._files.checkpoint} holds everything that is needed to continue.",
            fix="Run the same command with --resume.",
        )

    def _save_before_end(self, writer: CheckpointWriter) -> None:
        if self._state.losses:
            self._state.checked_losses()  # a diverged run is not worth resuming
        writer.save(self._state.checkpoint, wait=True)

    def _validate(self, losses: NDArray[np.float32], watch: Stopwatch) -> EpochRow:
        """Evaluate the averaged model on the validation part."""
        learner, epoch = self._state.learner, self.epoch + 1
        val = self._evaluator.evaluate(learner.average.module, self._data.split.val, epoch=epoch)
        val_score = score(val.metrics)
        refuse_overflow(val_score, epoch=epoch)
        return EpochRow(
            epoch=epoch,
            step=learner.done,
            lr=learner.rate,
            train_loss=float(losses.mean(dtype=np.float64)),
            val_loss=val.loss,
            val_score=val_score,
            val_mae={m.key: m.mae for m in val.metrics if not m.is_binary},
            val_log_loss={m.key: m.log_loss for m in val.metrics if m.is_binary},
            own_units=self._own_units(),
            seconds=watch.seconds,
            structures_per_second=watch.rate,
            data_wait=watch.wait_share,
        )

    def _own_units(self) -> dict[str, str]:
        """Return the units of the errors of the trained properties that the run defines."""
        own = [p for p in self._data.scaler.properties if p.key not in KEYS]
        return {p.key: "log loss" if p.task == "binary" else p.unit for p in own}

    def _finish_epoch(self, row: EpochRow, writer: CheckpointWriter) -> None:
        state = self._state
        is_best = state.finish_epoch(row)
        if state.is_finished or writer.is_due(epoch_ended=True):
            writer.save(state.checkpoint, wait=state.is_finished)
        self._callback.on_epoch_end(EpochEnd(row, is_best, self._config.training.epochs))

    def _result(self) -> TrainingResult:
        state = self._state
        # A run that was killed after its last checkpoint may lack these files.
        state.best.write(state.best.tensors(), state.history)
        write_history(self._files.history, state.history)
        split, trained = self._data.split, state.best.trained(state.history)
        val, test = (self._evaluator.evaluate(trained.model, i, epoch=trained.epoch) for i in (split.val, split.test))
        calibrated = calibrate(trained.model, self._data, self._loader, val=val.predictions, test=test.predictions)
        trained.model.cpu()
        return TrainingResult(
            trained=state.best.complete(state.history, calibrated.estimator),
            val=val.predictions,
            test=test.predictions,
            val_metrics=val.metrics,
            test_metrics=test.metrics,
            intervals=calibrated.intervals,
            test_novelty=calibrated.test_novelty,
            history=tuple(state.history),
            execution=self._loader.execution(),
            stopped_early=state.epoch < self._config.training.epochs,
        )
