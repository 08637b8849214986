"""Choice of the values of a trial: a pure function of the study's seed, the trial's number and the trials before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from phase2.config.assignments import format_value
from phase2.config.search.dimensions import Choices, Dimension, Range
from phase2.config.search.space import SearchSpace


def propose(
    space: SearchSpace, trials: Sequence[FrozenTrial], *, seed: int, number: int, first: Mapping[str, object]
) -> dict[str, object]:
    """Choose Optuna's parameters of a trial.

    The first has those of the level. The others are drawn at random ten times, then by a tree-structured Parzen
    estimator (Bergstra et al., NeurIPS 2011), which assumes that trials in progress end badly.

    Args:
        space: The searched settings.
        trials: All trials so far, in order of their numbers.
        seed: Seed of the study.
        number: Number of the trial.
        first: Values that the settings have without a study; those outside the space are drawn.
    """
    state = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    sampler = optuna.samplers.TPESampler(seed=state, multivariate=True, constant_liar=True)
    study = optuna.create_study(sampler=sampler)
    study.add_trials(trials)
    if number == 0:
        inside = [one for one in space.dimensions if one.has(first[one.path])]
        study.enqueue_trial({one.path: _parameter(one, first[one.path]) for one in inside})
    return study.ask(distributions(space)).params


def distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """Return Optuna's distributions of a space, by path."""
    return {one.path: _distribution(one) for one in space.dimensions}


def values_of(space: SearchSpace, parameters: Mapping[str, object]) -> dict[str, object]:
    """Return the values of settings that Optuna's parameters stand for, by path."""
    return {one.path: _value(one, parameters[one.path]) for one in space.dimensions if one.path in parameters}


def _distribution(one: Dimension) -> BaseDistribution:
    if isinstance(one, Choices):
        return CategoricalDistribution([_label(value) for value in one.values])
    if isinstance(one.low, int) and isinstance(one.high, int):
        return IntDistribution(one.low, one.high, log=one.log, step=1 if one.step is None else int(one.step))
    return FloatDistribution(one.low, one.high, log=one.log, step=one.step)


def _value(one: Dimension, parameter: object) -> object:
    if isinstance(one, Range):
        return parameter
    return next(value for value in one.values if _label(value) == parameter)


def _parameter(one: Dimension, value: object) -> object:
    return value if isinstance(one, Range) else _label(tuple(value) if isinstance(value, list) else value)


def _label(value: object) -> str:
    """Return a choice as text: Optuna has no lists, and takes 1 and true for the same."""
    return format_value(value)
