"""Kernels: what computes the inner sums of a network, and which of them can be used on a device."""

from __future__ import annotations

import importlib.util

import torch

from phase2.config.settings import KERNELS, KERNELS_VARIABLE, Kernels, wanted_kernels
from phase2.models.base import CrystalModel

PLAIN: Kernels = "plain"


def kernels_of(model: CrystalModel) -> tuple[Kernels, ...]:
    """List what can compute a network's sums, given the packages that it takes; ``plain`` comes first."""
    offered = {name for part in _networks(model) for name in part.implementations}
    return tuple(name for name in KERNELS if name in offered | {PLAIN})


def use_kernels(model: CrystalModel, kernels: Kernels) -> None:
    """Compute the sums of a network, and of the networks inside it, with these kernels where it has them."""
    for part in _networks(model):
        part.kernels = kernels if kernels in part.implementations else PLAIN


def why_not(kernels: str, device: torch.device) -> str:
    """Tell why kernels cannot be used on a device; empty where they can, as far as is known without trying them."""
    if kernels == PLAIN:
        return ""
    if kernels not in KERNELS:
        return "this phase2 does not know them"
    if wanted_kernels() == PLAIN:
        return f"${KERNELS_VARIABLE} is {PLAIN}"
    if device.type != "cuda":
        return "they need a GPU"
    if importlib.util.find_spec("triton") is None:
        return "the package triton is not installed"
    return ""


def _networks(model: CrystalModel) -> list[CrystalModel]:
    return [part for part in model.modules() if isinstance(part, CrystalModel)]
