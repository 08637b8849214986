"""What of a model is frozen when, and the learning rates of its parts."""

import pytest
import torch

from phase2.config.schema import FineTuningConfig
from phase2.models.files.modelfile import named_tensors
from phase2.training.fine_tuning.weights import HEADS

SHA = "0" * 64


def moved(trainer, steps):
    """Train some steps; return which tensors of backbone and heads moved."""
    learner = trainer._state.learner
    before = {name: tensor.clone() for name, tensor in named_tensors(learner.model).items()}
    batches = (batch for k in range(9) for batch in trainer._loader.epoch(k))
    for _ in range(steps):
        learner.step(next(batches))
    names = {name for name, t in named_tensors(learner.model).items() if not torch.equal(t, before[name])}
    return {name for name in names if not name.startswith(HEADS)}, {name for name in names if name.startswith(HEADS)}


@pytest.fixture
def tuned(make_trainer):
    def make(name="run", **settings):
        return make_trainer(name, tuning=FineTuningConfig(source="x", sha256=SHA, **settings))

    return make


def test_a_frozen_backbone_does_not_move_and_neither_do_its_running_statistics(tuned):
    backbone, heads = moved(tuned(freeze="backbone"), 8)
    assert backbone == set()
    assert heads


def test_the_backbone_is_unfrozen_at_its_epoch(tuned):
    trainer = tuned(unfreeze_epoch=2)
    per_epoch = trainer._loader.n_batches
    assert moved(trainer, per_epoch)[0] == set()
    backbone, _ = moved(trainer, 1)
    assert {"convolutions.0.ends.weight", "convolutions.0.gate_norm.running_mean"} <= backbone


def test_the_backbone_learns_at_its_own_rate(tuned):
    trainer = tuned(backbone_lr=0.25)
    moved(trainer, 3)
    learner = trainer._state.learner
    model, optimizer = learner.model, learner._optimizer
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert len(rates) == len(list(model.parameters())) + 1  # the weights of the losses
    for name, parameter in model.named_parameters():
        factor = 1.0 if name.startswith(HEADS) else 0.25
        assert rates[id(parameter)] == pytest.approx(factor * learner.rate)
