"""Learner: everything that one training step reads and changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from phase2.config.schema import FineTuningConfig, TrainingConfig
from phase2.data.batching import Batch
from phase2.models.base import CrystalModel
from phase2.models.files.modelfile import copy_tensors, load_tensors
from phase2.models.layers.across import is_shared, sum_of_shares
from phase2.models.precision import mixed_precision
from phase2.models.recording.recorder import Recorder
from phase2.models.recording.steps import RecordedSteps
from phase2.training.balancing import make_balancer
from phase2.training.fine_tuning.backbone import BackboneSchedule
from phase2.training.objective import LabelWeights, PropertyLosses, property_losses
from phase2.training.optimisation.average import AveragedModel
from phase2.training.optimisation.optimizer import (
    clip_gradients,
    learning_rate,
    make_optimizer,
    make_recordable,
    optimizer_state,
    restore_optimizer,
    set_learning_rate,
)
from phase2.training.parallel.group import WorkerGroup


@dataclass(frozen=True, slots=True, eq=False)
class LearnerState:
    """State of a learner between two steps.

    Attributes:
        step: Steps taken; the learning rate is a pure function of it.
        model: Weights and running statistics.
        average: The same of the averaged model.
        optimizer: State of the optimiser.
        balancer: State of the loss balancing.
    """

    step: int
    model: dict[str, Tensor]
    average: dict[str, Tensor]
    optimizer: dict[str, object]
    balancer: dict[str, Tensor]


class Learner:
    """Model with its optimiser, loss balancing and averaged weights.

    Args:
        model: The untrained model, on its device.
        n_properties: P.
        settings: Training settings.
        steps: Steps of the whole run.
        weights: Constant weights of the labels; by default a property's loss is the mean over each batch.
        binary: Which properties are binary, (P,) bool; None where none is.
        fine_tuning: How a trained model is trained further; None where the weights were drawn.
        schedule: Learning rate of a step, counted from 0; by default that of the settings.
        group: The processes that share each batch.
        recorder: Records steps, for batches that are padded to a few sizes; None runs each as it is written.

    Attributes:
        model: The model that is trained.
        average: The averaged model, which is evaluated and saved.
        steps: Steps of the whole run.
        done: Steps taken.
        rate: Learning rate of the last step.
        recorded: The recorded steps; None where each is run as it is written.
    """

    def __init__(  # noqa: PLR0913 - keywords
        self,
        model: CrystalModel,
        n_properties: int,
        settings: TrainingConfig,
        *,
        steps: int,
        weights: LabelWeights | None = None,
        binary: Tensor | None = None,
        fine_tuning: FineTuningConfig | None = None,
        schedule: Callable[[int], float] | None = None,
        group: WorkerGroup | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.average = AveragedModel(model, settings.ema_decay)
        self.steps = steps
        self.done = 0
        self.rate = 0.0
        self.model = model.train()
        self._group = group or WorkerGroup()
        self._shared: nn.Module | None = None
        self._settings = settings
        self._schedule = schedule or (lambda step: learning_rate(step, steps, settings))
        self._device = next(model.parameters()).device
        self._weights = None if weights is None else weights.to(self._device)
        self._binary = None if binary is None else binary.to(self._device)
        self._balancer = make_balancer(settings.balance, n_properties).to(self._device)
        self._optimizer = make_optimizer(model, self._balancer, settings)
        self._backbone = None
        if fine_tuning is not None:
            steps_per_epoch = steps // settings.epochs
            self._backbone = BackboneSchedule(model, self._optimizer, fine_tuning, steps_per_epoch=steps_per_epoch)
        self.recorded = None if recorder is None else RecordedSteps(self._step, recorder)
        if self.recorded is not None:
            self.average.make_recordable(self._device)
            make_recordable(self._optimizer, self._device)

    def step(self, batch: Batch) -> Tensor:
        """Take one optimiser step.

        Returns:
            The mean of the properties' losses before the step, a scalar on the device.
        """
        self.rate = self._schedule(self.done)
        set_learning_rate(self._optimizer, self.rate)
        if self._backbone is not None and self._backbone.before_step(self.done):
            self._shared = None  # other parameters have gradients now
            self._forget_recordings()
        self.done += 1
        self.average.begin(self.done)
        return self._step(batch) if self.recorded is None else self.recorded(batch)

    def _step(self, batch: Batch) -> Tensor:
        """Compute a step on the device, without a number of the host that changes from step to step."""
        self._optimizer.zero_grad()
        self._shared = self._shared or self._group.share(self.model)
        losses = self._losses(self._shared, batch)
        self._balancer(losses).backward()
        clip_gradients(self.model.parameters(), self._settings.clip_norm)
        self._optimizer.step()
        self.average.update()
        if self._balancer.observes_steps:
            with torch.no_grad():
                self._balancer.observe(losses.detach(), self._losses(self.model, batch))
        return losses.mean().detach()

    def _forget_recordings(self) -> None:
        if self.recorded is not None:
            self.recorded.forget()

    def state(self) -> LearnerState:
        """Copy everything that the next step depends on."""
        return LearnerState(
            step=self.done,
            model=copy_tensors(self.model),
            average=copy_tensors(self.average.module),
            optimizer=_copied(optimizer_state(self._optimizer)),
            balancer=_copied(self._balancer.state_dict()),
        )

    def restore(self, state: LearnerState) -> None:
        """Continue from a state.

        Raises:
            ModelFileError: It belongs to another model.
        """
        load_tensors(self.model, state.model)
        load_tensors(self.average.module, state.average)
        load_tensors(self._balancer, state.balancer)
        restore_optimizer(self._optimizer, state.optimizer)
        self._forget_recordings()
        self.done = state.step
        self.rate = learning_rate(max(0, self.done - 1), self.steps, self._settings)

    def _losses(self, model: nn.Module, batch: Batch) -> PropertyLosses:
        with mixed_precision(self._device, self._settings.precision):
            predictions = model(batch)
        return property_losses(
            predictions.float(),
            batch.targets,
            self._settings.loss,
            self._weights,
            binary=self._binary,
            total=sum_of_shares if is_shared() else None,
        )


def _copied(value: Any) -> Any:
    """Copy a state to the CPU, so that training can continue while it is written."""
    if isinstance(value, Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, Mapping):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


@torch.no_grad()
def predict(model: CrystalModel, batches: Iterable[Batch]) -> NDArray[np.float32]:
    """Predict with a model in evaluation mode, in full precision; normalised, (B, P) float32."""
    return torch.cat([model(batch)[: batch.n_real].float() for batch in batches]).cpu().numpy()
