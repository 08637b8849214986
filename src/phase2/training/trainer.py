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
from phase2.config.settings import wanted_kernels
from phase2.errors import CallbackError, PreemptedError
from phase2.machine.rank import refuse_many_processes
from phase2.models.kernels import PLAIN
from phase2.models.recording.kernels import chosen_kernels, try_kernels
from phase2.models.recording.recorder import recorder_for
from phase2.models.recording.rehearsal import rehearse
from phase2.properties import KEYS
from phase2.runs.records.execution import Execution, KernelTrial
from phase2.runs.records.history import EpochRow, write_history
from phase2.training.calibration import calibrate
from phase2.training.callbacks.base import Callback, EpochEnd, StepEnd, TrainBegin, TrainEnd
from phase2.training.checkpoints.best_model import BestModel
from phase2.training.checkpoints.checkpoint import dump_checkpoint
from phase2.training.checkpoints.newest import restore_newest
from phase2.training.checkpoints.received import received_checkpoint
from phase2.training.checkpoints.writer import CheckpointSchedule, CheckpointWriter, SavedCheckpoint
from phase2.training.evaluation import Evaluator
from phase2.training.fine_tuning.start import StartingPoint
from phase2.training.initial import initial_model
from phase2.training.interruption import StopRequest
from phase2.training.learner import Learner
from phase2.training.loader import TrainingData, TrainingLoader
from phase2.training.metrics import refuse_overflow, score
from phase2.training.objective import binary_columns
from phase2.training.parallel.group import WorkerGroup, lost_process
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
        group: The processes that train this model, each a share of every batch; None trains alone. The first of them
            calls :meth:`fit`, the others :meth:`follow`.

    Raises:
        RequestError: There are more processes than crystals in a batch.
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
        group: WorkerGroup | None = None,
    ) -> None:
        self._group = group = group or WorkerGroup()
        refuse_many_processes(group.size, min(config.training.batch_size, len(data.split.train)))
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
            rank=group.rank,
        )
        self._evaluator = Evaluator(data, self._loader, settings.loss, group)
        steps = settings.epochs * self._loader.n_batches
        learner = Learner(
            model,
            len(data.scaler.properties),
            settings,
            steps=steps,
            weights=self._loader.label_weights(settings.label_exponent),
            binary=binary_columns(data.scaler.properties),
            fine_tuning=config.fine_tuning,
            group=group,
            recorder=recorder_for(device) if settings.padding_buckets and group.size == 1 else None,
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
        self._device = device
        self._kernel_trial: KernelTrial | None = None

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
        with self._reported_end(), lost_process():
            self._callback.on_train_begin(begin)
            self._choose_kernels()
            self._group.send(dump_checkpoint(state.checkpoint()) if self._group.size > 1 else b"")
            with stop.deferred(), CheckpointWriter(self._files, state.best, self._schedule, self._on_saved) as writer:
                try:
                    while not state.is_finished:
                        self._run_epoch(stop, writer)
                except CallbackError:
                    self._save_before_end(writer)
                    raise
            self._group.leave()
        return self._result()

    def follow(self, stop: StopRequest) -> None:
        """Train a share of every batch, from the state of the first process to its end, and write nothing.

        Args:
            stop: Request to stop; any process's stops all of them after the same step.

        Raises:
            ModelFileError: This process has other data than the first.
            PreemptedError: A stop was requested; the first process writes the checkpoint.
            RequestError: The training diverged.
            TransientError: Another process has ended.
        """
        with lost_process(), stop.deferred():
            self._state.restore(received_checkpoint(self._group.send(b"")))
            while not self._state.is_finished:
                self._run_epoch(stop, None)
            self._group.leave()

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

    def _choose_kernels(self) -> None:
        """Try the kernels on the first batch; processes that share a training, and CPUs, use PyTorch's operations."""
        state, recorder = self._state, recorder_for(self._device) if self._group.size == 1 else None
        if state.is_finished or state.kernels == PLAIN:  # a run keeps what it was computed with
            return
        trial = KernelTrial()
        if recorder is not None:
            with closing(self._loader.epoch(0)) as batches:
                trial = try_kernels(
                    state.learner.model,
                    next(batches),
                    recorder,
                    precision=self._config.training.precision,
                    is_recorded=state.learner.recorded is not None,
                    rehearse=rehearse,
                )
        state.use_kernels(chosen_kernels(trial, state.kernels, wanted_kernels()))
        self._kernel_trial = trial if trial.milliseconds or trial.refused else None

    def _run_epoch(self, stop: StopRequest, writer: CheckpointWriter | None) -> None:
        """Train an epoch; without a writer as another process than the first, which saves and reports."""
        state, learner, watch = self._state, self._state.learner, Stopwatch()
        shares = self._loader.shares(state.epoch)
        with closing(self._loader.load(shares, skip=len(state.losses))) as batches:
            for batch, crystals in zip(watch.over(batches), shares.sizes[len(state.losses) :], strict=True):
                state.losses.append(learner.step(batch))
                watch.count(crystals)
                self._callback.on_step_end(StepEnd(self.step, learner.steps, crystals, learner.rate))
                if self._group.any(bool(stop.reason)):
                    self._preempt(stop.reason or "another process of the run", writer)
                if writer is not None and writer.is_due(epoch_ended=False):
                    state.checked_losses()
                    writer.save(state.checkpoint)
        losses = state.checked_losses()
        watch.end_training()
        imbalance = shares.imbalance if self._group.size > 1 else None
        self._finish_epoch(self._validate(losses, watch, imbalance), writer)

    def _preempt(self, reason: str, writer: CheckpointWriter | None) -> None:
        if writer is not None:
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

    def _validate(self, losses: NDArray[np.float32], watch: Stopwatch, imbalance: float | None) -> EpochRow:
        """Evaluate the averaged model on the validation part."""
        learner, epoch = self._state.learner, self.epoch + 1
        val = self._evaluator.evaluate(learner.average.module, self._data.split.val, epoch=epoch)
        val_score = self._group.same(score(val.metrics))
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
            imbalance=imbalance,
        )

    def _own_units(self) -> dict[str, str]:
        """Return the units of the errors of the trained properties that the run defines."""
        own = [p for p in self._data.scaler.properties if p.key not in KEYS]
        return {p.key: "log loss" if p.task == "binary" else p.unit for p in own}

    def _finish_epoch(self, row: EpochRow, writer: CheckpointWriter | None) -> None:
        state = self._state
        is_best = state.finish_epoch(row)
        if writer is not None and (state.is_finished or writer.is_due(epoch_ended=True)):
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
            execution=self._execution(),
            stopped_early=state.epoch < self._config.training.epochs,
        )

    def _execution(self) -> Execution:
        recorded = self._state.learner.recorded
        return self._loader.execution().model_copy(
            update={
                "steps": "recorded" if recorded is not None and recorded.is_recorded else "eager",
                "trial": None if recorded is None else recorded.trial,
                "kernels": self._state.kernels,
                "kernel_trial": self._kernel_trial,
            }
        )
