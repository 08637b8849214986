"""Crystals that are packed as no training crystal is are named, whatever the network makes of them."""

from dataclasses import replace

import numpy as np
import pytest

import phase2
from phase2.models.files.modelfile import load_model_file
from phase2.prediction.predicting import predict_structures
from phase2.prediction.predictor import Predictor


@pytest.fixture(scope="module")
def crystals():
    return list(phase2.load_dataset("sample").crystals)[:200]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model of the whole sample, whose range is of thousands of crystals."""
    folder = tmp_path_factory.mktemp("packing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASE2_CACHE_DIR", str(folder / "cache"))
        run = phase2.train(
            algorithm="cgcnn", level="smoke", epochs=1, max_samples=100_000, output=folder, progress=False
        )
    return Predictor.load(run.best_model)


def share(predictor, crystals, word="than in the training set"):
    rows = predict_structures(predictor, crystals).rows
    return np.mean([word in row.warning for row in rows])


def scaled(crystals, factor):
    return [replace(one, lattice=one.lattice * factor) for one in crystals]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("factor", "least", "word"), [(0.5, 0.95, "closer"), (0.7, 0.7, "closely"), (1.5, 0.9, "farther apart")]
)
def test_squeezed_and_stretched_crystals_are_named(factor, least, word, trained, crystals):
    changed = scaled(crystals, factor)
    assert share(trained, changed) > least
    assert share(trained, changed, word) > 0.2


@pytest.mark.slow
def test_crystals_with_atoms_anywhere_are_named(trained, crystals):
    rng = np.random.default_rng(0)
    several = [one for one in crystals if len(one.species) > 3]
    assert share(trained, [replace(one, frac=rng.random(one.frac.shape)) for one in several]) > 0.7


@pytest.mark.slow
def test_crystals_as_they_are_are_not(trained, crystals):
    assert share(trained, crystals) < 0.02


def test_a_model_file_of_an_earlier_version_says_nothing(predictor, crystals):
    squeezed = scaled(crystals[:5], 0.5)
    assert share(predictor, squeezed) == 1
    known = replace(predictor.model.uncertainty, packing=None)
    earlier = Predictor(replace(predictor.model, uncertainty=known), predictor.path)
    assert share(earlier, squeezed) == 0


def test_the_range_is_in_the_model_file(predictor, run):
    read, known = load_model_file(run / "best.pt").uncertainty.packing, predictor.model.uncertainty.packing
    assert np.array_equal(read.low, known.low)
    assert np.array_equal(read.high, known.high)
    assert (read.low > 0).all()
    assert (read.low < read.high).all()
