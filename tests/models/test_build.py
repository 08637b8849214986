"""Every configured size builds, trains and stays out of the way of the others."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from phase2.config.schema import CGCNN_PRESETS, EQUIVARIANT_SIZES, CgcnnConfig, EquivariantConfig
from phase2.models.build import build_model
from phase2.testing.crystals import isolated, rock_salt, triclinic, zinc_blende

CONFIGS = [*CGCNN_PRESETS.values(), *EQUIVARIANT_SIZES.values()]
SMALL = [
    CgcnnConfig(preset="small", width=16, convolutions=2, trunk=16),
    EquivariantConfig(size="small", channels=(12, 6), layers=2, radial_hidden=16, trunk=16),
]


def build(config, n_properties=3):
    torch.manual_seed(0)
    return build_model(config, n_properties, 12.0, 5.0)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@pytest.mark.parametrize("n_properties", [1, 9])
def test_every_size_predicts(config, n_properties, batch_of):
    model = build(config, n_properties).double()
    torch.nn.init.normal_(model.heads.weight)
    for crystals in ([rock_salt(), isolated(), triclinic()], [zinc_blende()]):
        values = model.eval()(batch_of(model.view, *crystals))
        assert values.shape == (len(crystals), n_properties)
        assert torch.isfinite(values).all()


@pytest.mark.parametrize("config", SMALL, ids=["cgcnn", "e3nn"])
def test_equal_seeds_give_equal_models(config):
    one, two = build(config).state_dict(), build(config).state_dict()
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("config", SMALL, ids=["cgcnn", "e3nn"])
def test_bf16_keeps_geometry_and_sums_in_full_precision(config, batch_of):
    model = build(config)
    torch.nn.init.normal_(model.heads.weight)
    batch = batch_of(model.view, rock_salt(), triclinic(), isolated(), zinc_blende(), double=False)
    for training in (False, True):
        exact = model.train(training)(batch)
        with torch.autocast("cpu", torch.bfloat16):
            rough = model(batch)
        rough.sum().backward()
        assert (rough - exact).abs().max() < 0.03 * exact.abs().max()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("config", SMALL, ids=["cgcnn", "e3nn"])
def test_training_fits_sixteen_crystals(config, batch_of):
    rng = np.random.default_rng(0)
    crystals = [triclinic(seed, 3 + seed % 3) for seed in range(8)]
    crystals += [rock_salt(5 + 0.2 * k) for k in range(4)] + [zinc_blende(5 + 0.2 * k) for k in range(4)]
    model = build(config).double()
    batch = batch_of(model.view, *crystals)
    targets = torch.from_numpy(rng.normal(size=(16, 3)))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(250):
        loss = (model(batch) - targets).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 1e-2
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())


def test_cgcnn_does_not_import_e3nn():
    code = (
        "import sys; from phase2.config.schema import CGCNN_PRESETS; from phase2.models.build import build_model;"
        "build_model(CGCNN_PRESETS['small'], 4, 12.0, 5.0);"
        "assert 'torch' in sys.modules; assert 'e3nn' not in sys.modules; assert 'torch_geometric' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_the_equivariant_model_starts_without_warnings():
    code = (
        "from phase2.config.schema import EQUIVARIANT_SIZES; from phase2.models.build import build_model;"
        "build_model(EQUIVARIANT_SIZES['small'], 4, 12.0, 5.0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout == ""
