"""The training loop: epochs of steps, each epoch validated, saved and told about."""

from __future__ import annotations

import math
import time
from contextlib import closing

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phase2.config.schema import RunConfig
from phase2.errors import PreemptedError
from phase2.models.build import build_model
from phase2.models.modelfile import tensors_of
from phase2.runs.history import EpochRow, best_row, write_history
from phase2.training.best_model import BestModel
from phase2.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from phase2.training.evaluation import Evaluator
from phase2.training.examples import Examples, TrainingData, mean_neighbors
from phase2.training.interruption import StopRequest
from phase2.training.learner import Learner
from phase2.training.metrics import refuse_divergence, score
from phase2.training.progress import EpochReporter, Silent
from phase2.training.result import TrainingFiles, TrainingResult
from phase2.training.seeding import random_state, restore_random_state, seed_everything
from phase2.training.stopwatch import Stopwatch

# Seconds between saves, at least: an epoch of a tiny data set takes less time than writing it down, and what a crash
# costs is these few seconds, for a resumed run repeats them exactly.
SAVE_INTERVAL = 2.0


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
    ) -> None:
        self._device = torch.device(device)
        seed_everything(config.seed, self._device)
        settings, scaler = config.training, data.scaler
        neighbors = mean_neighbors(data.graphs, data.split.train)
        model = build_model(config.model, len(scaler.properties), neighbors, config.data.graph.cutoff).to(self._device)
        self._examples = Examples(
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
        self._saved_at = -math.inf

    def resume(self) -> None:
        """Continue from the checkpoint file.

        Raises:
            ModelFileError: It is missing, unusable, or of another configuration or other data.
        """
        checkpoint = load_checkpoint(
            self._files.checkpoint, config_digest=self._config.digest, data_fingerprint=self._data.fingerprint
        )
        self._learner.restore(checkpoint.learner)
        self._epoch = checkpoint.epoch
        self._losses = list(checkpoint.losses.to(self._device))
        self._history = list(checkpoint.history)
        self._best.take(checkpoint.best)
        restore_random_state(checkpoint.random)

    def fit(self) -> TrainingResult:
        """Train to the end.

        Raises:
            PreemptedError: SIGTERM or Ctrl-C came; the checkpoint is written.
            RequestError: The training diverged.
        """
        learner = self._learner
        self._reporter.begin(epochs=self._config.training.epochs, steps=learner.steps, done=learner.done)
        try:
            with StopRequest() as stop:
                while not self._finished():
                    self._run_epoch(stop)
        finally:
            self._reporter.end()
        return self._conclude()

    def _finished(self) -> bool:
        return self._epoch >= self._config.training.epochs or self._out_of_patience()

    def _out_of_patience(self) -> bool:
        best, patience = best_row(self._history), self._config.training.patience
        return best is not None and patience is not None and self._epoch - best.epoch >= patience

    def _run_epoch(self, stop: StopRequest) -> None:
        watch = Stopwatch()
        with closing(self._examples.epoch(self._epoch, skip=len(self._losses))) as batches:
            for batch in watch.over(batches):
                self._losses.append(self._learner.step(batch))
                self._reporter.step(self._learner.done)
                if stop.reason:
                    self._preempt(stop.reason)
        losses = self._checked_losses()
        watch.end_training()
        self._close_epoch(self._row(losses, watch))

    def _preempt(self, reason: str) -> None:
        self._checked_losses()  # a diverged run is not worth resuming
        self._save()
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

    def _close_epoch(self, row: EpochRow) -> None:
        self._history.append(row)
        best = best_row(self._history) is row
        if best:
            self._best.take(tensors_of(self._learner.average.module))
        self._epoch += 1
        self._losses = []
        if self._finished() or time.monotonic() - self._saved_at >= SAVE_INTERVAL:
            self._save()
        self._reporter.epoch(row, best=best)

    def _save(self) -> None:
        checkpoint = Checkpoint(
            config_digest=self._config.digest,
            data_fingerprint=self._data.fingerprint,
            epoch=self._epoch,
            losses=torch.stack(self._losses).cpu() if self._losses else torch.empty(0),
            history=tuple(self._history),
            best=self._best.tensors(),
            learner=self._learner.state(),
            random=random_state(),
        )
        save_checkpoint(self._files.checkpoint, checkpoint)
        self._best.save(self._history)
        write_history(self._files.history, self._history)
        self._saved_at = time.monotonic()

    def _conclude(self) -> TrainingResult:
        self._best.save(self._history)  # where a finished run is resumed
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
