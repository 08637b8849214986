"""Training by recorded steps is the training by the steps themselves."""

import copy
import itertools

import pytest
import torch

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.schema import EquivariantConfig, FineTuningConfig
from phase2.data.padding.shape import BatchShape
from phase2.models.build import build_network
from phase2.testing.recorder import ForcedRecorder, OperationRecorder
from phase2.training.learner import Learner
from phase2.training.loader import TrainingLoader

SMALL = EquivariantConfig(size="small", channels=(8, 4), layers=2, trunk=8, second_order=2, readout_layers="all")


class Afresh(OperationRecorder):
    """Does each step as it is written, where recorded ones would be replayed."""

    def record(self, work):
        return work(), work


class Refusing(OperationRecorder):
    def record(self, work):
        raise RuntimeError("operation not permitted when stream is capturing\nand more")


def forced(kind=OperationRecorder, gain=2.0):
    return ForcedRecorder(kind(), gain)


def configured(configure, algorithm, **training):
    if algorithm == "cgcnn":
        return configure(**training)
    config = resolve(RunRequest(algorithm="e3nn", level="smoke")).config
    settings = config.training.model_copy(update={"batch_size": 8, **training})
    return config.model_copy(update={"model": SMALL, "training": settings})


def learner_and_batches(data, config, recorder, **settings):
    torch.manual_seed(0)
    model = build_network(config, 3, 12.0)
    loader = TrainingLoader(data, view=model.view, batch_size=8, seed=1, device=torch.device("cpu"), padding_buckets=2)
    weights = loader.label_weights(config.training.label_exponent)
    batches = itertools.chain.from_iterable(loader.epoch(k) for k in itertools.count())
    return Learner(model, 3, config.training, steps=60, weights=weights, recorder=recorder, **settings), batches


def difference(one, other):
    """Return the largest difference between two states, relative to the largest value of each tensor."""
    gaps = [0.0]
    for part in ("model", "average", "balancer"):
        for name, tensor in getattr(one, part).items():
            scale = tensor.double().abs().max().clamp(min=1e-12)
            gaps.append(float((tensor.double() - getattr(other, part)[name].double()).abs().max() / scale))
    return max(gaps)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("balance", ["uncertainty", "famo"])
@pytest.mark.parametrize("algorithm", ["cgcnn", "e3nn"])
def test_replayed_steps_are_the_steps(data, configure, algorithm, balance, optimizer):
    config = configured(configure, algorithm, balance=balance, optimizer=optimizer)
    states, losses, recorders = [], [], []
    for recorder in (forced(), forced(Afresh), None):
        learner, batches = learner_and_batches(data, config, recorder)
        losses.append([float(learner.step(batch)) for batch in itertools.islice(batches, 30)])
        states.append(learner.state())
        recorders.append(recorder)
        if recorder is not None:
            assert learner.recorded.is_recorded
    assert recorders[0].recorded == 2  # sizes
    assert losses[0] == losses[1]
    assert difference(states[0], states[1]) == 0
    assert losses[0] == pytest.approx(losses[2], rel=1e-3)
    assert difference(states[0], states[2]) < 1e-3
    assert [g["lr"] for g in states[0].optimizer["param_groups"]] == pytest.approx(
        [g["lr"] for g in states[2].optimizer["param_groups"]]
    )


def test_the_slower_way_is_not_taken(data, configure):
    recorder = forced(gain=0.5)
    learner, batches = learner_and_batches(data, configured(configure, "cgcnn"), recorder)
    for batch in itertools.islice(batches, 30):
        learner.step(batch)
    assert recorder.recorded == 1
    assert not learner.recorded.is_recorded
    assert learner.recorded.trial.model_dump() == {"eager_ms": 0.5, "recorded_ms": 1.0, "refused": None}


def test_what_cannot_be_recorded_is_run_as_it_is_written(data, configure, caplog):
    config = configured(configure, "cgcnn")
    states = []
    for recorder in (forced(Refusing), forced(Afresh)):
        learner, batches = learner_and_batches(data, config, recorder)
        for batch in itertools.islice(batches, 20):
            learner.step(batch)
        states.append(learner.state())
        if not recorder.recorded:
            assert learner.recorded.trial.refused == "operation not permitted when stream is capturing"
            assert not learner.recorded.is_recorded
    assert "cannot be recorded" in caplog.text
    assert difference(*states) == 0


def test_a_restored_training_records_anew(data, configure):
    config = configured(configure, "e3nn")
    whole, batches = learner_and_batches(data, config, forced())
    for batch in itertools.islice(batches, 12):
        whole.step(batch)
    kept = whole.state()
    rest = list(itertools.islice(batches, 20))
    for batch in rest:
        whole.step(batch)
    resumed, _ = learner_and_batches(data, config, forced())
    resumed.restore(copy.deepcopy(kept))
    for batch in rest:
        resumed.step(batch)
    assert difference(resumed.state(), whole.state()) == 0
    whole.restore(kept)  # its recordings are of tensors that it no longer has
    for batch in rest:
        whole.step(batch)
    assert difference(resumed.state(), whole.state()) == 0


def test_an_unfrozen_backbone_is_recorded_anew(data, configure):
    config = configured(configure, "e3nn", epochs=6)
    states = []
    for recorder in (forced(), forced(Afresh)):
        settings = FineTuningConfig(source="run_1", sha256="0" * 64, unfreeze_epoch=3, backbone_lr=0.1)
        learner, batches = learner_and_batches(data, config, recorder, fine_tuning=settings)
        begun = learner.state().model
        for batch in itertools.islice(batches, 60):
            learner.step(batch)
        states.append(learner.state())
        assert any(not torch.equal(begun[name], tensor) for name, tensor in states[-1].model.items())
    assert difference(*states) == 0


def test_odd_sizes_are_recorded_when_they_come_again(data, configure):
    recorder = forced()
    learner, batches = learner_and_batches(data, configured(configure, "cgcnn"), recorder)
    for batch in itertools.islice(batches, 20):
        learner.step(batch)
    sizes = {BatchShape.of(batch) for batch in itertools.islice(batches, 20)}
    assert recorder.recorded == len(sizes)
