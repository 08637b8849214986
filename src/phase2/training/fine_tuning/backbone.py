"""Backbone of a model that is trained further: frozen at first or throughout, and with a learning rate of its own."""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer

from phase2.config.schema import FineTuningConfig
from phase2.training.fine_tuning.weights import HEADS

_SCALE = "lr_scale"


class BackboneSchedule:
    """Gradual unfreezing and discriminative learning rates (Howard & Ruder, ULMFiT, ACL 2018), of two groups of layers.

    The backbone is what computes the features of a crystal, and the heads what reads them. A frozen backbone has no
    gradient, no weight decay and no running statistics that move. Both are pure functions of the step, so a resumed run
    has nothing to restore.

    Args:
        model: The model.
        optimizer: Its optimiser, before the first step; the backbone's parameters get groups of their own.
        settings: What is frozen, and the learning rate of the backbone.
        steps_per_epoch: Steps per epoch.
    """

    def __init__(
        self, model: nn.Module, optimizer: Optimizer, settings: FineTuningConfig, *, steps_per_epoch: int
    ) -> None:
        self._modules = [child for name, child in model.named_children() if f"{name}." != HEADS]
        self._parameters = [p for name, p in model.named_parameters() if not name.startswith(HEADS)]
        self._optimizer = optimizer
        self._settings = settings
        self._steps_per_epoch = steps_per_epoch
        self._frozen: bool | None = None
        self._split_groups()

    def before_step(self, done: int) -> bool:
        """Freeze or unfreeze the backbone, and scale its learning rate, for the step after ``done`` steps.

        Returns:
            Whether other parameters have gradients than before.
        """
        frozen = self.is_frozen(done)
        has_changed = frozen != self._frozen
        if has_changed:
            self._set_frozen(frozen=frozen)
        for group in self._optimizer.param_groups:
            group["lr"] *= group.get(_SCALE, 1.0)
        return has_changed

    def is_frozen(self, done: int) -> bool:
        """Return whether the backbone is frozen in the step after ``done`` steps."""
        epoch = done // self._steps_per_epoch + 1
        return self._settings.freeze == "backbone" or epoch < self._settings.unfreeze_epoch

    def _split_groups(self) -> None:
        own = {id(parameter) for parameter in self._parameters}
        for group in list(self._optimizer.param_groups):
            backbone = [p for p in group["params"] if id(p) in own]
            if backbone:
                group["params"] = [p for p in group["params"] if id(p) not in own]
                self._optimizer.add_param_group({**group, "params": backbone, _SCALE: self._settings.backbone_lr})

    def _set_frozen(self, *, frozen: bool) -> None:
        for module in self._modules:
            module.train(not frozen)
        for parameter in self._parameters:
            parameter.requires_grad_(not frozen)
        self._frozen = frozen
