"""The training loop: epochs of steps, each epoch validated, saved and told about."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import closing, nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phase2.config.schema import RunConfig
from phase2.errors import PreemptedError
from phase2.models.build import build_model
from phase2.models.files.modelfile import copy_tensors
from phase2.runs.history import EpochRow, best_row, write_history
from phase2.training.checkpoints.best_model import BestModel
from phase2.training.checkpoints.checkpoint import Checkpoint
from phase2.training.checkpoints.compatibility import newest_checkpoint, present_origin, refuse_changes
from phase2.training.checkpoints.writer import CheckpointSchedule, CheckpointWriter, SavedCheckpoint
from phase2.training.evaluation import Evaluator
from phase2.training.interruption import StopRequest
from phase2.training.learner import Learner
from phase2.training.loader import TrainingData, TrainingLoader, mean_neighbors
from phase2.training.metrics import refuse_divergence, score
from phase2.training.progress import EpochReporter, Silent
from phase2.training.result import TrainingFiles, TrainingResult
from phase2.training.seeding import random_state, restore_random_state, seed_everything
from phase2.training.stopwatch import Stopwatch


class Trainer:
    """One training, from its first step or from a checkpoint to its best model.

    Everything that a step depends on is in the checkpoint: stopped and resumed, a run on the CPU ends bit for bit where
    it would have ended (with the same number of threads).

    Args:
        config: The run.
        data: Crystals, labels, split and scaler.
        files: What to write.
        run_id: Name of the run, for the model file.
        device: Where to compute.
        reporter: Who is told about progress.
        plan: How often checkpoints are saved.
        on_saved: Is told, in another thread, about each checkpoint that is on the disk.
    """

    def __init__(
        self,
        config: RunConfig,
        data: TrainingData,
        files: TrainingFiles,
        *,
        run_id: str,
        device: torch.device | str = "cpu",
        reporter: EpochReporter | None = None,
        plan: CheckpointSchedule | None = None,
        on_saved: Callable[[SavedCheckpoint], None] = lambda _: None,
    ) -> None:
        self._device = torch.device(device)
        seed_everything(config.seed, self._device)
        settings, scaler = config.training, data.scaler
        neighbors = mean_neighbors(data.graphs, data.split.train)
        model = build_model(config.model, len(scaler.properties), neighbors, config.data.graph.cutoff).to(self._device)
        self._examples = TrainingLoader(
            data, view=model.view, batch_size=settings.batch_size, seed=config.seed, device=self._device
        )
        self._evaluator = Evaluator(data, self._examples, settings.loss)
        steps = settings.epochs * self._examples.n_batches
        self._learner = Learner(model, len(scaler.properties), settings, steps=steps)
        self._config = config
        self._data = data
        self._files = files
        self._reporter = reporter or Silent()
        self._epoch = 0
        self._losses: list[Tensor] = []
        self._history: list[EpochRow] = []
        self._best = BestModel(self._learner.average.module, files.best, config=config, data=data, run_id=run_id)
        self._origin = present_origin(config, self._device)
        self._plan = plan or CheckpointSchedule()
        self._on_saved = on_saved

    def resume(self, *, accepted: Collection[str] = ()) -> str:
        """Continue from the newest checkpoint file that can be used.

        Args:
            accepted: ``code`` continues with changed code.

        Returns:
            Changes since the checkpoint that were accepted, in words.

        Raises:
            ModelFileError: It is missing, unusable, or of another configuration, other data or other code.
        """
        checkpoint = newest_checkpoint(self._files)
        changed = refuse_changes(checkpoint, self._origin, self._config, self._data.fingerprint, accepted=accepted)
        self._learner.restore(checkpoint.learner)
        self._epoch = checkpoint.epoch
        self._losses = list(checkpoint.losses.to(self._device))
        self._history = list(checkpoint.history)
        self._best.take(checkpoint.best)
        restore_random_state(checkpoint.random)
        return changed

    @property
    def epoch(self) -> int:
        """Epochs finished."""
        return self._epoch

    @property
    def step(self) -> int:
        """Steps taken."""
        return self._learner.done

    def fit(self, stop: StopRequest | None = None) -> TrainingResult:
        """Train to the end.

        Args:
            stop: Tells when to stop; None listens for SIGTERM and Ctrl-C during the training.

        Raises:
            PreemptedError: SIGTERM or Ctrl-C came; the checkpoint is written.
            RequestError: The training diverged.
        """
        learner = self._learner
        self._reporter.begin(epochs=self._config.training.epochs, steps=learner.steps, done=learner.done)
        try:
            with (
                nullcontext(stop) if stop else StopRequest() as stopping,
                stopping.deferred(),
                CheckpointWriter(self._files, self._best, self._plan, self._on_saved) as saver,
            ):
                while not self._finished():
                    self._run_epoch(stopping, saver)
        finally:
            self._reporter.end()
        return self._conclude()

    def _finished(self) -> bool:
        return self._epoch >= self._config.training.epochs or self._out_of_patience()

    def _out_of_patience(self) -> bool:
        best, patience = best_row(self._history), self._config.training.patience
        return best is not None and patience is not None and self._epoch - best.epoch >= patience

    def _run_epoch(self, stop: StopRequest, saver: CheckpointWriter) -> None:
        watch = Stopwatch()
        with closing(self._examples.epoch(self._epoch, skip=len(self._losses))) as batches:
            for batch in watch.over(batches):
                self._losses.append(self._learner.step(batch))
                self._reporter.step(self._learner.done)
                if stop.reason:
                    self._preempt(stop.reason, saver)
                if saver.is_due(epoch_ended=False):
                    self._checked_losses()
                    saver.save(self._checkpoint)
        losses = self._checked_losses()
        watch.end_training()
        self._close_epoch(self._row(losses, watch), saver)

    def _preempt(self, reason: str, saver: CheckpointWriter) -> None:
        self._checked_losses()  # a diverged run is not worth resuming
        saver.save(self._checkpoint, wait=True)
        raise PreemptedError(
            f"Stopped by {reason} after step {self._learner.done} of {self._learner.steps}.",
            why=f"The checkpoint {self._files.checkpoint} holds everything that is needed to go on.",
            fix="Run the same command with --resume.",
        )

    def _checked_losses(self) -> NDArray[np.float32]:
        # Looked at once per epoch: a look at every step would make a GPU wait for the CPU.
        losses = torch.stack(self._losses).cpu().numpy()
        refuse_divergence(losses, what="the loss of step", epoch=self._epoch + 1)
        return losses

    def _row(self, losses: NDArray[np.float32], watch: Stopwatch) -> EpochRow:
        epoch = self._epoch + 1
        val = self._evaluator.evaluate(self._learner.average.module, self._data.split.val, epoch=epoch)
        return EpochRow(
            epoch=epoch,
            step=self._learner.done,
            lr=self._learner.rate,
            train_loss=float(losses.mean(dtype=np.float64)),
            val_loss=val.loss,
            val_score=score(val.metrics),
            val_mae={m.key: m.mae for m in val.metrics},
            seconds=watch.seconds,
            structures_per_second=watch.rate,
            data_wait=watch.wait_share,
        )

    def _close_epoch(self, row: EpochRow, saver: CheckpointWriter) -> None:
        self._history.append(row)
        best = best_row(self._history) is row
        if best:
            self._best.take(copy_tensors(self._learner.average.module))
        self._epoch += 1
        self._losses = []
        if self._finished() or saver.is_due(epoch_ended=True):
            saver.save(self._checkpoint, wait=self._finished())
        self._reporter.epoch(row, best=best)

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(
            origin=self._origin,
            config_digest=self._config.digest,
            data_fingerprint=self._data.fingerprint,
            epoch=self._epoch,
            losses=torch.stack(self._losses).cpu() if self._losses else torch.empty(0),
            history=tuple(self._history),
            best=self._best.tensors(),
            learner=self._learner.state(),
            random=random_state(),
        )

    def _conclude(self) -> TrainingResult:
        # Where a training is resumed that was killed after its last checkpoint.
        self._best.write(self._best.tensors(), self._history)
        write_history(self._files.history, self._history)
        split, trained = self._data.split, self._best.trained(self._history)
        val, test = (self._evaluator.evaluate(trained.model, i, epoch=trained.epoch) for i in (split.val, split.test))
        trained.model.cpu()
        return TrainingResult(
            trained=trained,
            val=val.predictions,
            test=test.predictions,
            val_metrics=val.metrics,
            test_metrics=test.metrics,
            history=tuple(self._history),
            stopped_early=self._epoch < self._config.training.epochs,
        )
