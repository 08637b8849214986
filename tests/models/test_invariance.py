"""What must not change a prediction, from the crystal through packing and collation to the model."""

import numpy as np
import pytest
import torch
from torch import nn

from phase2.config.schema import CgcnnConfig, EquivariantConfig
from phase2.data.crystals.crystal import Crystal
from phase2.models.build import build_model
from phase2.models.layers.weighted_norm import WeightedBatchNorm
from phase2.testing.crystals import isolated, rock_salt, triclinic, zinc_blende

CONFIGS: dict[str, CgcnnConfig | EquivariantConfig] = {
    "cgcnn": CgcnnConfig(preset="small", width=8, convolutions=3, trunk=8),
    "l1": EquivariantConfig(size="small", channels=(8, 4), layers=2, radial_hidden=8, trunk=8),
    "l2": EquivariantConfig(size="medium", channels=(6, 4, 3), layers=3, radial_hidden=8, trunk=8),
    "second order": EquivariantConfig(
        size="medium", channels=(6, 4, 3), layers=2, radial_hidden=8, trunk=8, second_order=5, readout_layers="all"
    ),
    "single atoms": EquivariantConfig(
        size="small", channels=(8, 4), layers=2, radial_hidden=8, trunk=8, second_order=2, atom_hidden=7
    ),
    "element pairs": EquivariantConfig(
        size="small", channels=(8, 4), layers=2, radial_hidden=8, trunk=8, element_pairs=True, feed_forward=True
    ),
}
CRYSTALS = {"low": triclinic(), "rock salt": rock_salt(), "zinc blende": zinc_blende(), "isolated": isolated()}


@pytest.fixture(scope="module", params=CONFIGS)
def model(request):
    torch.manual_seed(1)
    built = build_model(CONFIGS[request.param], 3, mean_neighbors=12.0, cutoff=5.0).double()
    nn.init.normal_(built.get_parameter("heads.weight"))  # untrained heads predict zero
    for module in built.modules():
        if isinstance(module, WeightedBatchNorm):  # as after training: not 0 and 1
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return built.eval()


@pytest.fixture
def predict(model, batch_of):
    @torch.no_grad()
    def run(*crystals):
        return model(batch_of(model.view, *crystals))

    return run


@pytest.fixture
def same(predict):
    def check(one, other):
        # Positions are stored in single precision, so that is how well predictions agree.
        torch.testing.assert_close(predict(one), predict(other), rtol=2e-4, atol=2e-4)

    return check


def changed(crystal, *, species=None, frac=None, lattice=None):
    return Crystal.checked(
        "changed",
        crystal.species if species is None else species,
        crystal.frac if frac is None else frac,
        crystal.lattice if lattice is None else lattice,
    )


def orthogonal(seed):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]


def supercell(crystal, matrix):
    """Cell with lattice ``matrix @ lattice``."""
    matrix = np.array(matrix)
    count = round(abs(np.linalg.det(matrix)))
    span = np.arange(-6, 7)
    points = np.stack(np.meshgrid(span, span, span), -1).reshape(-1, 3) @ np.linalg.inv(matrix)
    inside = points[((points > -1e-9) & (points < 1 - 1e-9)).all(axis=1)]
    assert len(inside) == count
    frac = (crystal.frac @ np.linalg.inv(matrix))[:, None] + inside
    return changed(
        crystal,
        species=np.repeat(crystal.species, count),
        frac=frac.reshape(-1, 3),
        lattice=matrix @ crystal.lattice,
    )


@pytest.mark.parametrize("name", CRYSTALS)
class TestPredictionsDoNotChange:
    @pytest.mark.parametrize("sign", [1, -1])
    def test_with_rotation_and_reflection(self, same, name, sign):
        turn = orthogonal(3)
        turn *= sign * np.sign(np.linalg.det(turn))
        assert np.linalg.det(turn) == pytest.approx(sign)
        same(CRYSTALS[name], changed(CRYSTALS[name], lattice=CRYSTALS[name].lattice @ turn))

    def test_with_translation(self, same, name):
        same(CRYSTALS[name], changed(CRYSTALS[name], frac=CRYSTALS[name].frac + np.array([0.37, -0.21, 0.9])))

    def test_with_the_order_of_atoms(self, same, name):
        order = np.random.default_rng(0).permutation(CRYSTALS[name].n_atoms)
        crystal = CRYSTALS[name]
        same(crystal, changed(crystal, species=crystal.species[order], frac=crystal.frac[order]))

    @pytest.mark.parametrize(
        "matrix",
        [[[1, 1, 0], [0, 1, 0], [0, -1, 1]], [[0, 1, 0], [1, 0, 0], [0, 0, 1]], [[2, 0, 0], [0, 1, 0], [0, 0, 1]],
         [[1, 1, 0], [-1, 1, 0], [0, 1, 2]]],
        ids=["skewed", "swapped", "doubled", "fourfold"],
    )  # fmt: skip
    def test_with_the_choice_of_cell(self, same, name, matrix):
        same(CRYSTALS[name], supercell(CRYSTALS[name], matrix))


def test_predictions_do_not_depend_on_batch_mates(predict):
    together = predict(*CRYSTALS.values())
    alone = torch.cat([predict(crystal) for crystal in CRYSTALS.values()])
    torch.testing.assert_close(together, alone, rtol=1e-9, atol=1e-9)


def test_different_crystals_have_different_predictions(predict):
    stretched = changed(CRYSTALS["rock salt"], lattice=CRYSTALS["rock salt"].lattice * 1.02)
    exchanged = changed(CRYSTALS["rock salt"], species=[3] * 4 + [17] * 4)
    shaken = triclinic(seed=7)
    values = predict(*CRYSTALS.values(), stretched, exchanged, shaken)
    gaps = (values[:, None] - values[None]).abs().amax(dim=2)
    assert gaps[~torch.eye(len(values), dtype=torch.bool)].min() > 1e-4
