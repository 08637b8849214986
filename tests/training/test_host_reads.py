"""No value of a tensor is read in a training step, for which a GPU would have to finish first."""

import pytest
import torch

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.schema import EquivariantConfig
from phase2.models.build import build_network
from phase2.testing.host_reads import host_reads
from phase2.training.learner import Learner
from phase2.training.loader import TrainingLoader

SMALL = EquivariantConfig(size="small", channels=(8, 4), layers=2, trunk=8, second_order=2, readout_layers="all")


@pytest.mark.parametrize(
    "work",
    [lambda x: x.sum().item(), lambda x: float(x[0]), lambda x: x[x > 0], lambda x: bool((x > 0).all()), torch.nonzero],
)
def test_reads_are_found(work):
    assert host_reads(lambda: work(torch.ones(3)))
    assert not host_reads(lambda: torch.ones(3).sum())


@pytest.mark.parametrize("buckets", [None, 2], ids=["as they are", "padded"])
@pytest.mark.parametrize("balance", ["uncertainty", "famo"])
@pytest.mark.parametrize("algorithm", ["cgcnn", "e3nn"])
def test_a_step_reads_no_value(data, configure, algorithm, balance, buckets):
    config = configure(balance=balance)
    if algorithm == "e3nn":
        config = resolve(RunRequest(algorithm="e3nn", level="smoke")).config
        training = config.training.model_copy(update={"balance": balance})
        config = config.model_copy(update={"model": SMALL, "training": training})
    model = build_network(config, 3, 12.0)
    loader = TrainingLoader(
        data, view=model.view, batch_size=8, seed=1, device=torch.device("cpu"), padding_buckets=buckets
    )
    weights = loader.label_weights(config.training.label_exponent)
    learner = Learner(model, 3, config.training, steps=100, weights=weights)
    first, second, *_ = loader.epoch(0)
    learner.step(first)
    assert host_reads(lambda: learner.step(second)) == []


def test_a_batch_of_one_node_is_no_exception(data, configure):
    config = configure()
    learner = Learner(build_network(config, 3, 12.0), 3, config.training, steps=100)
    loader = TrainingLoader(data, view="quotient", batch_size=1, seed=1, device=torch.device("cpu"))
    batch = next(loader.epoch(0))
    learner.step(batch)
    assert host_reads(lambda: learner.step(batch)) == []
