"""State of a training between two steps: what its checkpoints save and restore."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phase2.config.schema import RunConfig
from phase2.config.settings import Kernels
from phase2.errors import ModelFileError
from phase2.models.files.modelfile import copy_tensors
from phase2.models.kernels import PLAIN, use_kernels
from phase2.runs.records.history import EpochRow, best_row
from phase2.training.checkpoints.best_model import BestModel
from phase2.training.checkpoints.checkpoint import Checkpoint, Origin
from phase2.training.checkpoints.compatibility import kernels_before, present_origin, refuse_changes, with_kernels
from phase2.training.learner import Learner
from phase2.training.metrics import refuse_divergence
from phase2.training.seeding import random_state, restore_random_state


class TrainingState:
    """Learner, position, history and best model of a training.

    Args:
        config: The run.
        fingerprint: Fingerprint of its data.
        learner: Model and optimiser, before the first step.
        best: The best model so far.
        device: Device of the learner.

    Attributes:
        learner: Model, optimiser, loss balancing and averaged weights.
        best: The best model so far.
        epoch: Epochs finished.
        losses: Losses of the finished batches of the current epoch, scalars on the device.
        history: Rows of the finished epochs.
        kernels: Kernels of the steps so far; None before the first.
    """

    def __init__(
        self, config: RunConfig, fingerprint: str, *, learner: Learner, best: BestModel, device: torch.device
    ) -> None:
        self.learner = learner
        self.best = best
        self.epoch = 0
        self.losses: list[Tensor] = []
        self.history: list[EpochRow] = []
        self.kernels: str | None = None
        self._config = config
        self._fingerprint = fingerprint
        self._device = device
        self._present = present_origin(config, device)

    @property
    def _origin(self) -> Origin:
        return with_kernels(self._present, self.kernels or PLAIN)

    def use_kernels(self, kernels: Kernels) -> None:
        """Compute further steps and evaluations with these kernels; checkpoints name them."""
        self.kernels = kernels
        for model in (self.learner.model, self.learner.average.module):
            use_kernels(model, kernels)

    @property
    def is_finished(self) -> bool:
        """Whether the last epoch is finished, or the score has not improved for ``patience`` epochs."""
        best, settings = best_row(self.history), self._config.training
        is_out_of_patience = (
            best is not None and settings.patience is not None and self.epoch - best.epoch >= settings.patience
        )
        return self.epoch >= settings.epochs or is_out_of_patience

    def checked_losses(self) -> NDArray[np.float32]:
        """Return the losses of the current epoch, (batches,) float32.

        Called once per epoch and save: reading a loss at every step would make a GPU wait for the CPU.

        Raises:
            RequestError: The training diverged.
        """
        losses = torch.stack(self.losses).cpu().numpy()
        refuse_divergence(losses, what="the loss of step", epoch=self.epoch + 1)
        return losses

    def finish_epoch(self, row: EpochRow) -> bool:
        """Append the row of the current epoch; return whether its model is the best so far."""
        self.history.append(row)
        is_best = best_row(self.history) is row
        if is_best:
            self.best.take(copy_tensors(self.learner.average.module))
        self.epoch += 1
        self.losses = []
        return is_best

    def checkpoint(self) -> Checkpoint:
        """Copy the state, so that the training can continue while the copy is written."""
        return Checkpoint(
            origin=self._origin,
            config_digest=self._config.digest,
            data_fingerprint=self._fingerprint,
            epoch=self.epoch,
            losses=torch.stack(self.losses).cpu() if self.losses else torch.empty(0),
            history=tuple(self.history),
            best=self.best.tensors(),
            learner=self.learner.state(),
            random=random_state(),
        )

    def restore(self, checkpoint: Checkpoint, *, accepted: Collection[str] = ()) -> str:
        """Continue from a checkpoint.

        Args:
            checkpoint: The checkpoint.
            accepted: ``code`` accepts changed code.

        Returns:
            Accepted changes since the checkpoint, described; empty when there are none.

        Raises:
            ModelFileError: It belongs to another run or model, or data or code have changed.
        """
        self.kernels = kernels_before(checkpoint)
        changed = refuse_changes(checkpoint, self._origin, self._config, self._fingerprint, accepted=accepted)
        self._check_position(checkpoint)
        self.learner.restore(checkpoint.learner)
        self.epoch = checkpoint.epoch
        self.losses = list(checkpoint.losses.to(self._device))
        self.history = list(checkpoint.history)
        self.best.take(checkpoint.best)
        restore_random_state(checkpoint.random)
        return changed

    def _check_position(self, checkpoint: Checkpoint) -> None:
        settings, losses = self._config.training, checkpoint.losses
        per_epoch = self.learner.steps // settings.epochs
        if checkpoint.epoch > settings.epochs or checkpoint.step != checkpoint.epoch * per_epoch + len(losses):
            raise ModelFileError("The checkpoint's position does not fit the training.")
        if not bool(losses.isfinite().all()):
            raise ModelFileError("The checkpoint's losses are not finite.")
