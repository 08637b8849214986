"""Muon: momentum whose matrices are orthogonalised before each step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import AdamW

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
_MOMENTUM = 0.95
_EPS = 1e-7
_RMS_OF_ADAMW = 0.2


class Muon(AdamW):
    """AdamW whose groups with ``orthogonalized`` are trained by Muon (Jordan et al. 2024).

    The step of a matrix is its Nesterov momentum with all singular values brought near 1, so that directions in which
    the gradients are small are learned as well: those of a property with few labels beside one with many. The step is
    scaled to the size of one of AdamW (Liu et al., arXiv 2502.16982, eq. 4), so both kinds of groups have one learning
    rate and decoupled weight decay.

    ``torch.optim.Muon`` computes in bfloat16, which processors without instructions for it do 10 to 15 times more
    slowly than this in float32; here matrices of one shape are orthogonalised together.

    Args:
        groups: Parameter groups; parameters of an ``orthogonalized`` group are matrices or stacks of matrices.
        lr: Learning rate.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float) -> None:
        super().__init__([{"orthogonalized": False, **group} for group in groups], lr=lr, fused=True)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take one step."""
        assert closure is None  # noqa: S101
        groups = self.param_groups
        self.param_groups = [group for group in groups if not group["orthogonalized"]]
        try:
            super().step()
        finally:
            self.param_groups = groups
        for group in groups:
            if group["orthogonalized"]:
                self._step_matrices(group)

    def _step_matrices(self, group: dict[str, Any]) -> None:
        of_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
        for parameter in group["params"]:
            if parameter.grad is not None:
                of_shape[parameter.shape[-2:]].append(parameter)
        for shape, parameters in of_shape.items():
            momenta = torch.cat([self._momentum(p).view(-1, *shape) for p in parameters])
            counts = [p.numel() // shape.numel() for p in parameters]
            steps = orthogonalize(momenta) * (_RMS_OF_ADAMW * max(shape) ** 0.5)
            for parameter, step in zip(parameters, steps.split(counts), strict=True):
                _descend(parameter, step.view_as(parameter), group["lr"], group["weight_decay"])

    def _momentum(self, parameter: Tensor) -> Tensor:
        """Update the momentum of a parameter, and look one step ahead (Nesterov)."""
        gradient, state = parameter.grad, self.state[parameter]
        assert gradient is not None  # noqa: S101
        if not state:
            state |= {
                "step": torch.zeros((), device=parameter.device),
                "momentum": torch.zeros_like(parameter),
            }  # AdamW's loading reads the step
        state["step"] += 1
        momentum: Tensor = state["momentum"].lerp_(gradient, 1 - _MOMENTUM)
        return gradient.lerp(momentum, _MOMENTUM)


def _descend(parameter: Tensor, step: Tensor, rate: float | Tensor, weight_decay: float) -> None:
    """Decay a parameter and subtract a step; the rate is a number, or is on the device."""
    parameter.mul_(1 - rate * weight_decay)
    if isinstance(rate, Tensor):
        parameter.addcmul_(step, rate, value=-1)
    else:
        parameter.add_(step, alpha=-rate)


def orthogonalize(matrices: Tensor) -> Tensor:
    """Bring the singular values of matrices, (K, m, n), to about 1 (0.7 to 1.2), by Newton-Schulz iterations.

    The quintic iteration of Jordan et al. 2024; a matrix of zeros stays zero.
    """
    a, b, c = _COEFFICIENTS
    is_tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if is_tall else matrices
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=_EPS)
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if is_tall else x
