"""Training on properties that a run defines: with the nine, alone, binary, and values per cell and per volume."""

import numpy as np
import pytest
import torch

from phase2.config.data.own_properties import PropertyDefinition
from phase2.config.schema import GraphSpec
from phase2.data.crystals.crystal import Crystal
from phase2.data.graphs.packing import pack
from phase2.data.splits.draw import draw_split
from phase2.data.targets import TargetScaler
from phase2.data.transforms import learned_factors
from phase2.errors import RequestError
from phase2.models.files.modelfile import copy_tensors, load_model_file
from phase2.prediction.ensemble import predict_ensemble
from phase2.prediction.predictor import Predictor
from phase2.properties import get_property
from phase2.runs.ancestry.model_header import read_model_header
from phase2.testing.tiny_training import TinyData, tiny_config
from phase2.training.callbacks.base import Callback
from phase2.training.result import TrainingFiles
from phase2.training.trainer import Trainer

GAP = get_property("band_gap")
CHARGE = PropertyDefinition(key="charge", unit="e", per="cell", lower=0)
DENSITY = PropertyDefinition(key="density", unit="e/A^3", per="volume")
HEAVY = PropertyDefinition(key="heavy", task="binary")


def salt(k, pair, edge, repeats):
    """A rock salt-like pair of atoms, repeated along one axis."""
    frac = [[(i + x) / repeats, x, x] for i in range(repeats) for x in (0.0, 0.5)]
    return Crystal.checked(f"salt-{k}", [int(z) for z in pair] * repeats, frac, np.diag([edge * repeats, edge, edge]))


@pytest.fixture(scope="module")
def crystals():
    rng = np.random.default_rng(1)
    pairs, repeats = rng.integers(3, 60, (90, 2)), rng.choice([1, 2, 4, 8], 90)
    return [
        salt(k, pair, edge, n)
        for k, (pair, edge, n) in enumerate(zip(pairs, rng.uniform(3.5, 4.9, 90), repeats, strict=True))
    ]


@pytest.fixture(scope="module")
def make_data(crystals):
    graphs = pack(crystals, GraphSpec())
    charge = np.array([float(crystal.species.sum()) for crystal in crystals])
    volume = np.array([abs(np.linalg.det(crystal.lattice)) for crystal in crystals])
    mean = np.array([crystal.species.mean() for crystal in crystals])
    known = {"charge": charge, "density": charge / volume, "heavy": (mean > 30).astype(float), "band_gap": mean / 20}

    def make(*properties):
        targets = np.stack([known[p.key] for p in properties], axis=1)
        if len(properties) > 1:
            targets[np.random.default_rng(2).random(targets.shape) < 0.2] = np.nan
            targets[:, 0] = np.where(np.isnan(targets).all(axis=1), known[properties[0].key], targets[:, 0])
        parts = draw_split(graphs.ids, graphs.ids, seed=42, fractions=(0.7, 0.15, 0.15))
        factors = learned_factors(graphs, properties)
        scaler = TargetScaler.fit(targets[parts.train], properties, None if factors is None else factors[parts.train])
        return TinyData(graphs, targets, parts, scaler, fingerprint="made of salts")

    return make


@pytest.fixture
def make_own_trainer(tmp_path):
    def make(name, data, definitions, *, callback=None, seed=1, **settings):
        folder = tmp_path / name
        files = TrainingFiles(
            folder / "best.pt", folder / "checkpoint.pt", folder / ".checkpoint.previous.pt", folder / "history.json"
        )
        config = tiny_config(**settings)
        config = config.model_copy(
            update={
                "seed": seed,
                "properties": tuple(p.key for p in data.scaler.properties),
                "data": config.data.model_copy(update={"own_properties": definitions}),
            }
        )
        return Trainer(config, data, files, run_id=name, callback=callback), files

    return make


ALL = (CHARGE, DENSITY, HEAVY)


def properties_of(*definitions):
    return tuple(definition.as_property() for definition in definitions)


@pytest.mark.slow
def test_all_kinds_together_learn_are_stored_and_predict(make_data, make_own_trainer, crystals):
    data = make_data(GAP, *properties_of(*ALL))
    trainer, files = make_own_trainer("all", data, ALL, epochs=12)
    result = trainer.fit()
    by_key = {metrics.key: metrics for metrics in result.test_metrics}
    assert result.history[-1].val_score < 0.8 * result.history[0].val_score
    assert by_key["charge"].unit == "e"
    assert by_key["charge"].mae < by_key["charge"].baseline_mae
    heavy = by_key["heavy"]
    assert heavy.mae is heavy.rmse is heavy.r2 is heavy.baseline_mae is None
    assert heavy.log_loss < heavy.baseline_log_loss
    assert heavy.roc_auc > 0.8
    assert heavy.ratio == pytest.approx(heavy.log_loss / heavy.baseline_log_loss)
    row = result.history[-1]
    assert row.val_mae.keys() == {"band_gap", "charge", "density"}
    assert row.val_log_loss.keys() == {"heavy"}
    assert row.own_units == {"charge": "e", "density": "e/A^3", "heavy": "log loss"}
    binary = next(one for one in result.intervals if one.key == "heavy")
    assert binary.levels == ()
    assert binary.error_by_tenth == ()

    loaded = load_model_file(files.best)
    assert loaded.properties == data.scaler.properties
    predicted = Predictor(loaded, files.best).predict([crystals[k] for k in data.split.test])
    np.testing.assert_allclose(predicted, result.test, rtol=2e-4, atol=1e-5)
    assert ((predicted[:, 3] > 0) & (predicted[:, 3] < 1)).all()
    header = read_model_header(files.best)
    assert header.learned["charge"] != header.learned["density"]


@pytest.mark.slow
def test_binary_alone(make_data, make_own_trainer):
    trainer, _ = make_own_trainer("binary", make_data(*properties_of(HEAVY)), (HEAVY,), epochs=15, balance="famo")
    result = trainer.fit()
    (heavy,) = result.test_metrics
    assert heavy.accuracy >= heavy.baseline_accuracy
    assert heavy.log_loss < 0.9 * heavy.baseline_log_loss
    assert heavy.f1 > 0.6
    assert result.trained.score == pytest.approx(result.val_metrics[0].ratio)


class KilledAfterEpoch(Callback):
    """Dies, as of a power cut, when epoch n is saved."""

    def __init__(self, epoch):
        self.at = epoch

    def on_epoch_end(self, event):
        if event.row.epoch == self.at:
            raise MemoryError


def test_a_resumed_run_equals_one_that_was_never_killed(make_data, make_own_trainer):
    data = make_data(GAP, *properties_of(*ALL))
    whole = make_own_trainer("whole", data, ALL)[0].fit()
    with pytest.raises(MemoryError):
        make_own_trainer("killed", data, ALL, callback=KilledAfterEpoch(2))[0].fit()
    again, _ = make_own_trainer("killed", data, ALL)
    again.resume()
    resumed = again.fit()
    np.testing.assert_array_equal(whole.test, resumed.test)
    first, second = copy_tensors(whole.trained.model), copy_tensors(resumed.trained.model)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert [row.val_errors for row in whole.history] == [row.val_errors for row in resumed.history]


@pytest.mark.slow
@pytest.mark.parametrize(("declared", "most"), [(CHARGE, 0.5), (DENSITY, 0.9)])
def test_a_declared_target_is_learned_better(make_data, make_own_trainer, declared, most):
    plain = PropertyDefinition(key=declared.key, unit=declared.unit, lower=declared.lower)

    def error(definition, name):
        data = make_data(*properties_of(definition))
        return make_own_trainer(name, data, (definition,), epochs=15)[0].fit().test_metrics[0].mae

    assert error(declared, "declared") < most * error(plain, "plain")


def test_values_per_cell_grow_with_the_cell_and_their_intervals_too(make_data, make_own_trainer):
    data = make_data(*properties_of(CHARGE))
    trainers = [make_own_trainer(f"seed-{seed}", data, (CHARGE,), seed=seed, epochs=4) for seed in (1, 2)]
    for trainer, _ in trainers:
        trainer.fit()
    predictors = [Predictor.load(files.best) for _, files in trainers]
    cells = [salt(0, (11, 17), 4.0, 1), salt(1, (11, 17), 4.0, 3)]
    one, three = (predictors[0].predict([cell])[0, 0] for cell in cells)
    assert three == pytest.approx(3 * one, rel=1e-5)
    small, large = predict_ensemble(predictors, cells, levels=(0.5,)).rows
    assert small.values is not None
    assert large.values is not None
    assert small.spread is not None
    assert large.spread is not None
    assert small.intervals is not None
    assert large.intervals is not None
    assert large.values[0] == pytest.approx(3 * small.values[0], rel=1e-5)
    assert large.spread[0] == pytest.approx(3 * small.spread[0], rel=1e-4)
    low, high = small.intervals[0, 0]
    assert large.intervals[0, 0] == pytest.approx([3 * low, 3 * high], rel=1e-4)
    assert low < small.values[0] < high


def test_models_that_define_a_property_in_different_units_are_not_averaged(make_data, make_own_trainer):
    predictors = []
    for name, definition in (("electrons", CHARGE), ("coulomb", CHARGE.model_copy(update={"unit": "C"}))):
        trainer, files = make_own_trainer(name, make_data(*properties_of(definition)), (definition,), epochs=1)
        trainer.fit()
        predictors.append(Predictor.load(files.best))
    with pytest.raises(RequestError, match="define 'charge' differently") as caught:
        predict_ensemble(predictors, [salt(0, (11, 17), 4.0, 1)])
    assert caught.value.why == "run electrons: e; run coulomb: C."


def test_factors_are_not_forgotten(make_data):
    data = make_data(*properties_of(CHARGE))
    with pytest.raises(AssertionError, match="factors are missing"):
        data.scaler.encode(data.targets)
