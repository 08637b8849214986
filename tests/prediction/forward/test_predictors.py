"""What padded and recorded models predict: files, packed graphs, intervals, ensembles, embeddings, evaluations."""

import numpy as np
import pytest

from phase2.cli import main
from phase2.data.graphs.packing import pack
from phase2.prediction.embedders import ModelEmbedder
from phase2.prediction.embedding import embed_store, embed_structures
from phase2.prediction.ensemble import predict_with
from phase2.prediction.predicting import predict_structures
from phase2.prediction.predictor import Predictor
from phase2.testing.crystals import rock_salt, triclinic, zinc_blende
from phase2.testing.recorder import ForcedRecorder, OperationRecorder

CLOSE = 1e-6
SIZE = 4


@pytest.fixture(scope="module", params=["cgcnn", "e3nn"])
def model_file(request, models, tmp_path_factory):
    if request.param == "cgcnn":
        return next(models.glob("*/run_*")) / "best.pt"
    folder = tmp_path_factory.mktemp("models")
    words = ["--algorithm", "e3nn", "--level", "smoke", "--epochs", "1", "--max-samples", "60"]
    assert main(["train", *words, "--output", str(folder)]) == 0
    return next(folder.glob("*/run_*")) / "best.pt"


@pytest.fixture(scope="module")
def plain(model_file):
    return Predictor.load(model_file)


@pytest.fixture(scope="module")
def recorded(plain):
    """The same model, whose batches are padded and recorded."""
    recorder = ForcedRecorder(OperationRecorder())
    return Predictor(plain.model, plain.path, padding_buckets=2, recorder=recorder)


@pytest.fixture(scope="module")
def crystals():
    rng = np.random.default_rng(0)
    return [rock_salt(), *(triclinic(seed, int(rng.integers(2, 10))) for seed in range(90)), zinc_blende()]


def assert_same_numbers(found, expected):
    assert found.columns() == expected.columns()
    assert [(row.file, row.formula, row.error) for row in found.rows] == [
        (row.file, row.formula, row.error) for row in expected.rows
    ]
    both = [np.array([table.numbers(row) for row in table.rows if not row.error], float) for table in (found, expected)]
    scale = np.abs(both[1]).max(axis=0)
    assert (np.abs(both[0] - both[1]) <= CLOSE * scale).all()


def test_structures_of_all_kinds_are_predicted_alike(plain, recorded, crystals, examples, tmp_path):
    empty = tmp_path / "empty.cif"
    empty.write_text("")
    structures = [*crystals[:40], empty, *examples, *crystals[40:]]
    tables = [predict_structures(one, structures, batch_size=SIZE) for one in (recorded, plain)]
    assert recorded.forward.recorded.is_recorded
    assert len(tables[0].failures) == 1
    assert_same_numbers(*tables)


def test_intervals_and_novelty_are_alike(plain, recorded, crystals):
    tables = [predict_with([one], crystals, levels=[0.5], batch_size=SIZE) for one in (recorded, plain)]
    assert_same_numbers(*tables)


def test_ensembles_are_alike(plain, recorded, crystals):
    tables = [predict_with([one, one], crystals, levels=[0.5], batch_size=SIZE) for one in (recorded, plain)]
    assert_same_numbers(*tables)


def test_embeddings_are_alike(plain, recorded, crystals):
    graphs = pack(crystals, plain.model.config.data.graph)
    expected = embed_structures(ModelEmbedder(plain), crystals, batch_size=SIZE)
    for found in (
        embed_structures(ModelEmbedder(recorded), crystals, batch_size=SIZE),
        embed_store(ModelEmbedder(recorded), graphs, batch_size=SIZE),
    ):
        assert found.ids == expected.ids
        assert np.abs(found.features - expected.features).max() <= CLOSE * np.abs(expected.features).max()


def test_packed_graphs_are_predicted_alike(plain, recorded, crystals):
    graphs = pack(crystals, plain.model.config.data.graph)
    index = np.random.default_rng(2).permutation(len(graphs))[:70]
    seen: list[int] = []
    found = recorded.predict_graphs(graphs, index, batch_size=SIZE, progress=seen.append)
    expected = plain.predict_graphs(graphs, batch_size=SIZE)[index]
    assert (np.abs(found - expected) <= CLOSE * np.abs(expected).max(axis=0)).all()
    assert seen == sorted(seen)
    assert seen[-1] == 70


def test_no_crystal_is_predicted(plain, recorded, crystals):
    graphs = pack(crystals[:2], plain.model.config.data.graph)
    for one in (plain, recorded):
        assert one.predict_graphs(graphs, np.empty(0, np.int64), batch_size=SIZE).shape == (0, 4)


def test_a_cpu_predicts_batches_bit_for_bit_as_each_alone(plain, crystals):
    graphs = pack(crystals, plain.model.config.data.graph)
    found = plain.predict_graphs(graphs, batch_size=SIZE)
    alone = [plain.predict(crystals[start : start + SIZE]) for start in range(0, len(crystals), SIZE)]
    np.testing.assert_array_equal(found, np.concatenate(alone))
