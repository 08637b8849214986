"""Trainings on padded batches."""

import numpy as np
import pytest
import torch

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.schema import EquivariantConfig
from phase2.data.padding.shape import BatchShape
from phase2.models.build import build_network
from phase2.training.callbacks.base import Callback
from phase2.training.checkpoints.writer import CheckpointSchedule
from phase2.training.learner import Learner, predict
from phase2.training.loader import TrainingLoader

SMALL = EquivariantConfig(size="small", channels=(8, 4), layers=2, trunk=8, second_order=2, readout_layers="all")


def loader_of(data, view, buckets, *, resident=None):
    cpu = torch.device("cpu")
    return TrainingLoader(data, view=view, batch_size=8, seed=1, device=cpu, padding_buckets=buckets, resident=resident)


@pytest.mark.parametrize("view", ["crystal", "quotient"])
def test_an_epoch_has_few_sizes_and_the_same_crystals(data, view):
    plain, padded = loader_of(data, view, None), loader_of(data, view, 2)
    batches = list(padded.epoch(5))
    assert len({BatchShape.of(b) for b in batches}) <= 2
    assert [b.index[: b.n_real].tolist() for b in batches] == [b.index.tolist() for b in plain.epoch(5)]
    for one, other in zip(batches, plain.epoch(5), strict=True):
        assert torch.equal(one.targets[: one.n_real].nan_to_num(9), other.targets.nan_to_num(9))


@pytest.mark.parametrize("buckets", [None, 2])
def test_a_manifest_says_how_it_was_computed(data, buckets):
    made = loader_of(data, "crystal", buckets)
    execution = made.execution()
    assert execution.graphs == "host"
    assert execution.graph_bytes > 0
    sizes = {(b.n_crystals, len(b.species), len(b.bond_sender), len(b.edge_bond)) for b in made.epoch(0)}
    if buckets is None:
        assert (execution.padded_shapes, execution.padding) == ((), None)
        return
    assert sizes <= {(s.crystals, s.atoms, s.bonds, s.edges) for s in execution.padded_shapes}
    bonds = sum(len(b.bond_sender) for b in loader_of(data, "crystal", None).epoch(0))
    assert execution.padding == pytest.approx(1 - bonds / sum(len(b.bond_sender) for b in made.epoch(0)))


@pytest.mark.parametrize("buckets", [None, 2])
def test_graphs_on_the_device_train_as_those_on_the_host_do(data, configure, buckets):
    config = configure()
    states = []
    for resident in (False, True):
        torch.manual_seed(0)
        model = build_network(config, 3, 12.0)
        loader = loader_of(data, model.view, buckets, resident=resident)
        assert loader.execution().graphs == ("device" if resident else "host")
        learner = Learner(model, 3, config.training, steps=100)
        for batch in loader.epoch(1, skip=1):
            learner.step(batch)
        evaluated = predict(learner.average.module, loader.in_order(data.split.val))
        states.append((learner.state().model, evaluated))
    assert all(torch.equal(states[1][0][name], tensor) for name, tensor in states[0][0].items())
    assert np.array_equal(states[0][1], states[1][1])


def test_evaluation_drops_the_padding(data, configure):
    config = configure()
    model = build_network(config, 3, 12.0).eval()
    torch.nn.init.normal_(model.heads.weight)
    plain, padded = (predict(model, loader_of(data, model.view, n).in_order(data.split.test)) for n in (None, 1))
    assert plain.shape == (len(data.split.test), 3)
    assert np.allclose(padded, plain, atol=1e-6)


@pytest.mark.parametrize("balance", ["equal", "uncertainty", "famo"])
@pytest.mark.parametrize("algorithm", ["cgcnn", "e3nn"])
def test_steps_on_padded_batches_are_those_on_the_batches(data, configure, algorithm, balance):
    config = configure(balance=balance)
    if algorithm == "e3nn":
        level = resolve(RunRequest(algorithm="e3nn", level="smoke")).config
        training = level.training.model_copy(update={"epochs": 3, "batch_size": 8, "balance": balance})
        config = level.model_copy(update={"model": SMALL, "training": training})
    states = []
    for buckets in (None, 2):
        torch.manual_seed(0)
        model = build_network(config, 3, 12.0).double()
        loader = loader_of(data, model.view, buckets)
        weights = loader.label_weights(config.training.label_exponent)
        learner = Learner(model, 3, config.training, steps=100, weights=weights)
        for batch in loader.epoch(0):
            learner.step(batch.double())
        states.append(learner.state())
    for part in ("model", "average", "balancer"):
        one, other = (getattr(state, part) for state in states)
        for name, tensor in one.items():
            assert torch.allclose(tensor.double(), other[name].double(), rtol=1e-6, atol=1e-9), name


class KilledAtStep(Callback):
    """Dies, as of a power cut, after step n."""

    def __init__(self, step):
        self.at = step

    def on_step_end(self, event):
        if event.step == self.at:
            raise MemoryError


@pytest.mark.slow
@pytest.mark.parametrize("step", [3, 7])
def test_a_training_on_padded_batches_resumes_bit_for_bit(make_trainer, step):
    whole = make_trainer("whole", padding_buckets=2).fit()
    every_step = CheckpointSchedule(minutes=0)
    with pytest.raises(MemoryError):
        make_trainer(callback=KilledAtStep(step), schedule=every_step, padding_buckets=2).fit()
    again = make_trainer(padding_buckets=2)
    again.resume()
    resumed = again.fit()
    assert np.array_equal(resumed.test, whole.test)
    assert [row.train_loss for row in resumed.history] == [row.train_loss for row in whole.history]
