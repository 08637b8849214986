"""Balancing: combining the losses of several properties into one objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import torch
from torch import Tensor, nn

from phase2.training.objective import PropertyLosses


class Balancer(nn.Module, ABC):
    """Combination of the properties' losses into one objective.

    Its parameters are learned together with the model's; what else it remembers are buffers, so that its state_dict is
    all that a resumed run needs.

    Attributes:
        observes_steps: Whether :meth:`observe` needs the losses of the same batch after the step.
    """

    observes_steps: bool = False

    @abstractmethod
    def forward(self, losses: PropertyLosses) -> Tensor:
        """Combine losses into a scalar; properties without a label in the batch are left out."""

    def observe(self, before: PropertyLosses, after: PropertyLosses) -> None:
        """Update the weights by the change of the losses of one batch in one optimiser step."""


def make_balancer(kind: Literal["equal", "uncertainty", "famo"], n_properties: int) -> Balancer:
    """Make the balancer of a name for P properties."""
    if kind == "equal":
        return Equal()
    return Uncertainty(n_properties) if kind == "uncertainty" else Famo(n_properties)


class Equal(Balancer):
    """The losses with the weights that they come with."""

    def forward(self, losses: PropertyLosses) -> Tensor:
        """Sum the weighted losses."""
        return losses.mean()


class Uncertainty(Balancer):
    """Learned uncertainty: sum of exp(-s) L + s / 2 (Kendall, Gal, Cipolla, CVPR 2018, eq. 7 with s = log sigma^2).

    A property that cannot be fitted well gets a large s and thereby a small weight. The paper's factor 1/2 of the
    first term is left out, so that training begins with the plain weights.
    """

    def __init__(self, n_properties: int) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.zeros(n_properties))

    def forward(self, losses: PropertyLosses) -> Tensor:
        """Weight each present loss by its learned precision."""
        terms = torch.exp(-self.log_variance) * losses.values + losses.share * self.log_variance / 2
        return (losses.weight * terms).sum()


class Famo(Balancer):
    """Fast adaptive multitask optimisation (Liu, Feng, Stone, Liu, NeurIPS 2023, algorithm 1), as in the authors' code.

    Minimises sum_k z_k log(L_k + eps) * c, with z the softmax of logits and c the constant that makes the weights of
    the gradients sum to one, and moves the logits with Adam so that all losses shrink at the same rate. As published,
    the rates come from the losses of the same batch after the step: one more forward pass per step. Losses are bounded
    below by 0. Only the present properties of a batch share in the softmax and learn from it.
    """

    observes_steps = True

    LEARNING_RATE = 0.025
    WEIGHT_DECAY = 0.01  # "gamma"
    EPS = 1e-8
    BETAS = (0.9, 0.999)

    logits: Tensor
    momentum: Tensor
    variance: Tensor
    steps: Tensor

    def __init__(self, n_properties: int) -> None:
        super().__init__()
        for name in ("logits", "momentum", "variance", "steps"):
            self.register_buffer(name, torch.zeros(n_properties))

    def forward(self, losses: PropertyLosses) -> Tensor:
        """Combine the logarithms of the present losses."""
        weights = self._weights(losses.present)
        shifted = losses.values + self.EPS
        normaliser = (weights / shifted).sum().detach().clamp(min=self.EPS)
        return (weights * shifted.log()).sum() / normaliser

    @torch.no_grad()
    def observe(self, before: PropertyLosses, after: PropertyLosses) -> None:
        """Move the logits towards the properties whose losses shrank least."""
        shrunk = (before.values + self.EPS).log() - (after.values + self.EPS).log()
        weights = self._weights(before.present)
        gradient = weights * (shrunk - (weights * shrunk).sum())  # through the softmax
        self._adam(gradient + self.WEIGHT_DECAY * self.logits, before.present)

    def _weights(self, present: Tensor) -> Tensor:
        return self.logits.masked_fill(~present, -torch.inf).softmax(dim=0).nan_to_num(0)  # NaN when none is present

    def _adam(self, gradient: Tensor, present: Tensor) -> None:
        """Take one step of Adam (Kingma & Ba 2015) for the present properties; the others keep their state."""
        first, second = self.BETAS
        self.steps += present
        self.momentum.copy_(torch.where(present, first * self.momentum + (1 - first) * gradient, self.momentum))
        self.variance.copy_(torch.where(present, second * self.variance + (1 - second) * gradient**2, self.variance))
        steps = self.steps.clamp(min=1)
        mean = self.momentum / (1 - first**steps)
        scale = (self.variance / (1 - second**steps)).sqrt() + self.EPS
        self.logits -= torch.where(present, self.LEARNING_RATE * mean / scale, 0)
