"""Learning-rate range test (Smith, WACV 2017, doi:10.1109/WACV.2017.58): how the loss answers to a rising rate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

import numpy as np
import torch
from numpy.typing import NDArray

from phase2.config.schema import RunConfig
from phase2.data.batching import Batch
from phase2.errors import RequestError
from phase2.training.fine_tuning.start import StartingPoint
from phase2.training.initial import initial_model
from phase2.training.learner import Learner
from phase2.training.loader import TrainingData, TrainingLoader
from phase2.training.objective import binary_columns

_AVERAGED = 0.95
_DIVERGED = 4.0
"""Moving average of the loss, as a multiple of the smallest so far, at which the test ends."""
_MARGIN = 10
_BELOW = 3
"""A few epochs at a third of the rate of the lowest loss train as well as any rate, and e3nn much better than at it."""
_FEWEST = 10
_WIDTH = 0.2
"""Standard deviation of the weights that smooth the losses, decades of the rate."""
_FALL = 0.05
"""Share of its highest value that the smoothed loss has to fall by: less is the noise of batches."""


@dataclass(frozen=True, slots=True)
class RangePoint:
    """One step of a range test.

    Attributes:
        step: Its number, counted from 1.
        lr: Its learning rate.
        loss: Mean loss of the properties before the step, normalised units.
    """

    step: int
    lr: float
    loss: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Learning rates that a range test suggests.

    Attributes:
        lr: Suggested peak rate: a third of that of the lowest loss, or the limit where that is smaller.
        lowest: Rate at which the smoothed loss is lowest.
        limit: A tenth of the rate at which the loss diverges; None where it does not.
    """

    lr: float
    lowest: float
    limit: float | None


def exponential_rates(lowest: float, highest: float, steps: int) -> list[float]:
    """Return rates that rise by equal factors.

    Raises:
        RequestError: The rates do not rise, or there are too few steps.

    Example:
        >>> [round(rate, 9) for rate in exponential_rates(1e-4, 1e-2, 20)][::19]
        [0.0001, 0.01]
    """
    if not 0 < lowest < highest < math.inf:
        raise RequestError(
            f"The learning rate cannot rise from {lowest:g} to {highest:g}.", fix="Give --lowest 1e-6 --highest 1, say."
        )
    if steps < _FEWEST:
        raise RequestError(f"--steps {steps} is too few.", fix=f"Give {_FEWEST} or more.")
    return [lowest * (highest / lowest) ** (step / (steps - 1)) for step in range(steps)]


def range_test(
    config: RunConfig,
    data: TrainingData,
    rates: Sequence[float],
    *,
    device: torch.device,
    start: StartingPoint | None = None,
) -> list[RangePoint]:
    """Train from the run's initial weights with a rate that rises from step to step, until the loss diverges.

    Args:
        config: The run.
        data: Crystals, labels, split and scaler; only the training part is used.
        rates: Learning rate of each step.
        device: Device of the model.
        start: What the run takes over from a trained model; None where its weights are drawn. A backbone that it trains
            later is trained from the first step here.

    Returns:
        One point per step with a finite loss.
    """
    settings, fine_tuning = config.training.model_copy(update={"epochs": 1}), config.fine_tuning
    model = initial_model(config, data, start=start, device=device)
    loader = TrainingLoader(data, view=model.view, batch_size=settings.batch_size, seed=config.seed, device=device)
    learner = Learner(
        model,
        len(data.scaler.properties),
        settings,
        steps=len(rates),
        weights=loader.label_weights(settings.label_exponent),
        binary=binary_columns(data.scaler.properties),
        fine_tuning=fine_tuning and fine_tuning.model_copy(update={"unfreeze_epoch": 1}),
        schedule=lambda step: rates[step],
    )
    points: list[RangePoint] = []
    average = lowest = math.inf
    total = 0.0
    for step, batch in enumerate(islice(_endless(loader), len(rates)), 1):
        loss = float(learner.step(batch))
        if not math.isfinite(loss):
            break
        total = _AVERAGED * total + (1 - _AVERAGED) * loss
        average = total / (1 - _AVERAGED**step)
        points.append(RangePoint(step, rates[step - 1], loss))
        lowest = min(lowest, average)
        if average > _DIVERGED * lowest and step >= _FEWEST:
            break
    return points


def smoothed_losses(points: Sequence[RangePoint]) -> NDArray[np.float64]:
    """Return the losses of a range test as means over steps of similar rates, (number of points,) float64.

    Weighted by a normal distribution of the logarithm of the rate, 0.2 decades wide: batches differ more from each
    other than the loss changes from one step to the next.
    """
    rates = np.log10([point.lr for point in points])
    weights = np.exp(-0.5 * ((rates[:, None] - rates) / _WIDTH) ** 2)
    means: NDArray[np.float64] = weights @ np.array([point.loss for point in points]) / weights.sum(axis=1)
    return means


def suggest_rate(points: Sequence[RangePoint], rates: Sequence[float]) -> Suggestion:
    """Suggest a peak learning rate.

    Args:
        points: Points of a range test.
        rates: The rates that it was asked for; it diverged where it ended before the last.

    Raises:
        RequestError: The loss did not fall.
    """
    losses = smoothed_losses(points)
    lowest = int(np.argmin(losses)) if points else 0
    if not points or losses[lowest] > (1 - _FALL) * losses[: lowest + 1].max():
        raise RequestError(
            "The loss did not fall at any learning rate.",
            why=f"{len(points)} steps were taken, from {rates[0]:g} to {points[-1].lr if points else rates[0]:g}.",
            fix="Begin lower (--lowest 1e-8), take more --steps, or check the data.",
        )
    limit = points[-1].lr / _MARGIN if len(points) < len(rates) else None
    rate = points[lowest].lr
    return Suggestion(min(rate / _BELOW, limit or math.inf), rate, limit)


def _endless(loader: TrainingLoader) -> Iterator[Batch]:
    """Yield the batches of one epoch after the other."""
    for epoch in count():
        yield from loader.epoch(epoch)
