"""Arithmetic of the networks: single precision, or bfloat16 where it gains and costs no accuracy."""

from __future__ import annotations

import torch

from phase2.config.request.options import Precision
from phase2.errors import RequestError


def mixed_precision(device: torch.device, precision: Precision) -> torch.autocast:
    """Return the context in which a network computes with this precision.

    With ``bf16`` products of matrices round their factors to bfloat16. The networks themselves keep geometry, sums over
    neighbours and atoms and statistics in single precision; losses, gradients' norms, weights and the optimiser are
    outside of the context.

    Args:
        device: Device of the network.
        precision: ``fp32`` or ``bf16``.
    """
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def check_precision(device: torch.device, precision: Precision) -> None:
    """Refuse a precision that a device does not compute with.

    Raises:
        RequestError: The GPU is older than bfloat16 (compute capability below 8.0).
    """
    if precision == "fp32" or device.type != "cuda" or computes_in_bf16(device):
        return
    raise RequestError(
        f"The {torch.cuda.get_device_name(device)} does not compute in bf16.",
        why="GPUs do from compute capability 8.0 on; older ones imitate it, slower than fp32.",
        fix="Leave out --precision, or use another GPU.",
    )


def computes_in_bf16(device: torch.device) -> bool:
    """Tell whether a GPU has instructions for bfloat16."""
    return torch.cuda.get_device_capability(device) >= (8, 0)
