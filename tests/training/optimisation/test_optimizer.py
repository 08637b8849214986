"""Laws of the optimiser, the schedule and the average."""

from typing import Any

import pytest
import torch
from torch import nn

from phase2.config.schema import TrainingConfig
from phase2.models.elements import ElementFeatures
from phase2.training.balancing import Uncertainty
from phase2.training.optimisation.average import AveragedModel
from phase2.training.optimisation.optimizer import clip_gradients, learning_rate, make_optimizer

CONFIG = TrainingConfig(epochs=1, batch_size=4, lr=0.1, warmup=0.1, weight_decay=0.5)


def network():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def test_the_rate_rises_then_falls_and_is_never_zero():
    rates = [learning_rate(step, 100, CONFIG) for step in range(100)]
    peak = rates.index(max(rates))
    assert peak == 10
    assert rates[peak] == 0.1
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert 0 < rates[-1] < 1e-4


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_rate_is_positive_in_a_run_of_few_steps(steps):
    assert all(learning_rate(step, steps, CONFIG) > 0 for step in range(steps))


def test_only_matrices_decay():
    model, balancer = network(), Uncertainty(2)
    optimizer = make_optimizer(model, balancer, CONFIG)
    decayed = {id(p) for group in optimizer.param_groups if group["weight_decay"] for p in group["params"]}
    assert decayed == {id(model[0].weight), id(model[2].weight)}
    everything = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert everything == {id(p) for p in (*model.parameters(), *balancer.parameters())}


def test_muon_trains_what_maps_features_to_features():
    model = nn.Sequential(ElementFeatures(4), nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    muon = CONFIG.model_copy(update={"optimizer": "muon"})
    optimizer = make_optimizer(model, Uncertainty(2), muon)
    hidden = {id(p) for group in optimizer.param_groups if group["orthogonalized"] for p in group["params"]}
    assert hidden == {id(model[1].weight), id(model[3].weight)}


def test_gradients_are_clipped_together():
    a, b = (nn.Parameter(torch.zeros(2)) for _ in range(2))
    a.grad, b.grad = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 4.0])
    clip_gradients([a, b], 1.0)
    torch.testing.assert_close(torch.cat([a.grad, b.grad]), torch.tensor([0.6, 0, 0, 0.8]))


def test_the_average_starts_fast_and_ends_at_its_decay():
    model: Any = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    average = AveragedModel(model, decay=0.5)
    averaged: Any = average.module
    nn.init.ones_(model.weight)
    average.begin(step=1)
    average.update()
    assert averaged.weight.item() == pytest.approx(1 - 2 / 11)
    for step in range(2, 60):
        before = averaged.weight.item()
        average.begin(step)
        average.update()
        decay = min(0.5, (1 + step) / (10 + step))
        assert averaged.weight.item() == pytest.approx(1 - decay * (1 - before))


def test_running_statistics_are_averaged_and_the_average_does_not_train():
    model = network()
    average = AveragedModel(model, decay=0.9)
    model(torch.randn(50, 3) * 10)
    average.begin(step=1)
    average.update()
    averaged: Any = average.module
    mean = averaged[1].running_mean
    torch.testing.assert_close(mean, model[1].running_mean * (1 - 2 / 11))
    assert not average.module.training
    assert model.training
    assert not any(p.requires_grad for p in average.module.parameters())
