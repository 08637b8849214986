"""Copying weights between models: kept properties predict the same, others begin untrained."""

import numpy as np
import pytest
import torch

from phase2.config.schema import CgcnnConfig, EquivariantConfig
from phase2.data.batching import collate
from phase2.errors import ModelFileError
from phase2.models.build import build_model
from phase2.models.files.modelfile import named_tensors
from phase2.training.fine_tuning.weights import HEADS, copy_weights, find_property_rows

NETWORKS: dict[str, CgcnnConfig | EquivariantConfig] = {
    "cgcnn": CgcnnConfig(preset="small", width=8, convolutions=1, gaussians=6, trunk=6),
    "e3nn": EquivariantConfig(size="small", channels=(4, 3), layers=1, radial_hidden=8, trunk=6),
}


@pytest.fixture(params=NETWORKS)
def build(request):
    """Build a network of either kind for P properties, with random weights everywhere."""

    def make(n, seed=0):
        torch.manual_seed(seed)
        model = build_model(NETWORKS[request.param], n, 12.0, 5.0).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.1)
        return model

    return make


def outputs(model, data):
    with torch.no_grad():
        return model(collate(data.graphs, np.arange(8), None, model.view))


@pytest.mark.parametrize("columns", [[(0, 0)], [(0, 2), (2, 1)], [(1, 0), (0, 1), (2, 2)]])
def test_kept_properties_predict_what_they_did(build, data, columns):
    source, target = build(3, 1), build(4, 2)
    copy_weights(target, source, find_property_rows(build), columns, heads=True)
    before, after = outputs(source, data), outputs(target, data)
    for own, other in columns:
        torch.testing.assert_close(after[:, own], before[:, other])
    assert not torch.allclose(after[:, 3], before[:, 0])


def test_equal_numbers_of_properties_in_another_order(build, data):
    source, target = build(6, 1), build(6, 2)  # as many as the trunk is wide: the shapes say nothing
    copy_weights(target, source, find_property_rows(build), [(k, 5 - k) for k in range(6)], heads=True)
    torch.testing.assert_close(outputs(target, data), outputs(source, data).flip(1))


def test_new_heads_keep_nothing_behind_the_features(build):
    source, target = build(2, 1), build(2, 2)
    before = {name: tensor.clone() for name, tensor in named_tensors(target).items()}
    copy_weights(target, source, find_property_rows(build), [], heads=False)
    for name, tensor in named_tensors(target).items():
        expected = before[name] if name.startswith(HEADS) else named_tensors(source)[name]
        assert torch.equal(tensor, expected), name


def test_finding_the_rows_draws_no_random_number_of_the_run(build):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    find_property_rows(lambda n: build_model(NETWORKS["cgcnn"], n, 12.0, 5.0))
    assert torch.equal(torch.rand(3), expected)


def test_another_network_is_refused(build):
    other = build_model(CgcnnConfig(preset="small", width=4, convolutions=1, gaussians=6, trunk=6), 2, 12.0, 5.0)
    with pytest.raises(ModelFileError, match="The weights do not fit"):
        copy_weights(build(2), other, find_property_rows(build), [], heads=True)
