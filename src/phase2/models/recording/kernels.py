"""Trial of the kernels: which are equal to PyTorch's operations on this device, and which are fastest."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

import torch
from torch import Tensor

from phase2.config.request.options import Precision
from phase2.config.settings import KERNELS_VARIABLE, Kernels
from phase2.data.batching import Batch
from phase2.models.base import CrystalModel
from phase2.models.kernels import PLAIN, kernels_of, use_kernels, why_not
from phase2.models.precision import mixed_precision
from phase2.models.recording.recorder import Recorder, Work
from phase2.runs.records.execution import KernelTrial

EQUAL: dict[Precision, float] = {"fp32": 1e-4, "bf16": 5e-2}
"""Largest difference of features and gradients from those of PyTorch's operations, relative to the largest value."""
WARM_UP = 3
"""Passes before the first that is timed or recorded: libraries initialise themselves in them."""
LONGEST = 300
"""Characters of an error that are kept."""

_LOG = logging.getLogger(__name__)


class Values(NamedTuple):
    """What a forward and a backward pass give.

    Attributes:
        features: Features of the crystals, (B, C).
        gradient: Gradient of the mean of their squares by all weights, 1-D.
    """

    features: Tensor
    gradient: Tensor


def try_kernels(
    model: CrystalModel,
    batch: Batch,
    recorder: Recorder,
    *,
    precision: Precision,
    is_recorded: bool,
    rehearse: Callable[[CrystalModel, Batch, Kernels, Precision], str] = lambda *_: "",
) -> KernelTrial:
    """Compare the kernels that a network may have, on a copy of it: nothing of the training changes.

    Args:
        model: The network, on its device.
        batch: A batch of the training, on that device.
        recorder: Measures the time there.
        precision: Precision of the training.
        is_recorded: Whether steps of the training are recorded where that is faster.
        rehearse: Tells why kernels must not even be tried in this process; empty where they may.
    """
    device, offered = next(model.parameters()).device, kernels_of(model)
    refused: dict[str, str] = {name: why for name in offered if (why := why_not(name, device))}
    passes = {name: pass_of(model, name, batch, precision) for name in offered if name not in refused}
    if len(passes) == 1:
        return KernelTrial(refused=refused)
    expected = passes[PLAIN]()
    milliseconds = {PLAIN: _time(passes.pop(PLAIN), recorder, is_recorded=is_recorded)}
    gap: dict[Kernels, float] = {}
    for name, one_pass in passes.items():
        try:
            if why := rehearse(model, batch, name, precision):
                refused[name] = why
            elif (found := _largest_gap(one_pass(), expected)) <= EQUAL[precision]:
                gap[name] = found
                milliseconds[name] = _time(one_pass, recorder, is_recorded=is_recorded)
            else:
                refused[name] = f"they differ from PyTorch's operations by {found:.1e}"
        except Exception as error:  # noqa: BLE001 - a compiler, a driver and a package fail in ways of their own
            refused[name] = " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST]
        if name in refused:
            _LOG.warning("The kernels '%s' are not used: %s.", name, refused[name])
    return KernelTrial(milliseconds=milliseconds, gap=gap, refused=refused)


def chosen_kernels(trial: KernelTrial, before: str | None, wanted: Kernels | None = None) -> Kernels:
    """Choose the kernels of a training: those that it had before, else those that are wanted, else the fastest.

    Args:
        trial: What was found on this device.
        before: Kernels of the steps before; None where there are none.
        wanted: What the user asks for; None for no wish.
    """
    name = before or wanted
    if name is None:
        return trial.fastest
    for usable in (PLAIN, *trial.milliseconds):
        if usable == name:
            return usable
    why = trial.refused.get(name, "they cannot be used here")
    if before is None:
        _LOG.warning("The kernels '%s' of $%s are not used: %s.", name, KERNELS_VARIABLE, why)
    else:
        _LOG.warning(
            "The run was computed with the kernels '%s' so far, and goes on with PyTorch's operations (%s): "
            "the last digits may differ from an uninterrupted run.",
            *(name, why),
        )
    return PLAIN


def pass_of(model: CrystalModel, kernels: Kernels, batch: Batch, precision: Precision) -> Callable[[], Values]:
    """Return a forward and a backward pass of a copy of a network, computed by these kernels."""
    trial = copy.deepcopy(model).train().requires_grad_()
    use_kernels(trial, kernels)
    device = next(trial.parameters()).device

    def one_pass() -> Values:
        trial.zero_grad()
        with mixed_precision(device, precision):
            features = trial.embed(batch)
        features.float().square().mean().backward()  # type: ignore[no-untyped-call]
        slopes = [p.grad.flatten() for p in trial.parameters() if p.grad is not None]
        return Values(features.detach(), torch.cat(slopes))

    return one_pass


def _largest_gap(found: Values, expected: Values) -> float:
    """Return the largest difference relative to the largest value; infinite where one is not a number."""
    gaps = [
        float((one - other).abs().max() / torch.where(other.any(), other.abs().max(), 1))
        for one, other in zip(found, expected, strict=True)
    ]
    return max(gap if math.isfinite(gap) else math.inf for gap in gaps)


def _time(one_pass: Callable[[], Values], recorder: Recorder, *, is_recorded: bool) -> float:
    def work() -> Tensor:
        return one_pass().features

    again: Work = work
    for _ in range(WARM_UP):
        recorder.warm_up(work)
    if is_recorded:
        try:
            _, again = recorder.record(work)
        except RuntimeError as error:
            _LOG.debug("The passes of the trial are timed as they are written: %s", error)
    return median(recorder.milliseconds(again)[1] for _ in range(recorder.trial_steps))
