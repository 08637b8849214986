"""Laws of the training loader."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from phase2.data.targets import TargetScaler
from phase2.training.loader import TrainingLoader, mean_neighbors, species_in


def examples(data, view="quotient"):
    return TrainingLoader(data, view=view, batch_size=8, seed=1, device=torch.device("cpu"))


@pytest.mark.parametrize("view", ["crystal", "quotient"])
def test_an_epoch_is_every_training_crystal_once(data, view):
    made = examples(data, view)
    batches = list(made.epoch(0))
    assert len(batches) == made.n_batches
    assert sorted(np.concatenate([b.index for b in batches])) == sorted(data.split.train)


def test_skipping_continues_the_same_epoch(data):
    whole = [b.index.tolist() for b in examples(data).epoch(3)]
    assert [b.index.tolist() for b in examples(data).epoch(3, skip=2)] == whole[2:]


def test_in_order(data):
    index = data.split.test[::-1]
    assert np.concatenate([b.index for b in examples(data).in_order(index)]).tolist() == index.tolist()


def test_outliers_are_hidden_in_training_alone(data):
    targets = data.targets.copy()
    for part in (data.split.train, data.split.val):
        targets[part[0], 0] = 1e9
    numbers = data.scaler.to_dict() | {"lower": [-50.0] * 3, "upper": [50.0] * 3}
    scaler = TargetScaler.from_dict(numbers, data.scaler.properties)
    labels = examples(replace(data, targets=targets, scaler=scaler)).labels
    assert np.isnan(labels[data.split.train[0], 0])
    assert labels[data.split.val[0], 0] > 1e6
    hidden = np.isnan(labels) & ~np.isnan(targets)
    assert hidden.sum() == 1


def test_mean_neighbors_and_species_of_the_training_part(data):
    train = data.graphs.take(data.split.train)
    assert mean_neighbors(data.graphs, data.split.train) == len(train.edge_bond) / len(train.species)
    assert species_in(data.graphs, data.split.train) == tuple(sorted(set(train.species.tolist())))
