"""Features of structures: what the heads read, the same however a structure is given, and their files."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from phase2.data.crystals.readers import read_structure
from phase2.data.graphs.packing import pack
from phase2.errors import RequestError
from phase2.prediction.embedders import ModelEmbedder
from phase2.prediction.embedding import embed_store, embed_structures


@pytest.fixture
def embedder(predictor):
    return ModelEmbedder(predictor)


@pytest.fixture
def embedded(embedder, examples, tmp_path):
    """Four structures, and a file that is none."""
    rubbish = tmp_path / "rubbish.cif"
    rubbish.write_text("data_nothing")
    return embed_structures(embedder, [examples[0], rubbish, *examples[1:]], batch_size=2)


def test_the_heads_make_the_predictions_of_the_features(predictor, embedder, examples):
    import torch

    crystals = [read_structure(path) for path in examples]
    found = embed_structures(embedder, crystals)
    with torch.inference_mode():
        normalised = predictor.model.model.heads(torch.from_numpy(found.features)).numpy()
    np.testing.assert_allclose(predictor.model.scaler.decode(normalised), predictor.predict(crystals), rtol=1e-5)


def test_a_structure_that_cannot_be_read_is_named_and_costs_no_other(embedded, examples):
    assert embedded.ids == tuple(map(str, examples))
    assert [row.file.rpartition("/")[2] for row in embedded.failures] == ["rubbish.cif"]
    assert embedded.failures[0].error


def test_crystals_of_a_store_have_the_features_of_their_structures(embedder, embedded, examples):
    graphs = pack([read_structure(path) for path in examples], embedder.spec)
    found = embed_store(embedder, graphs, batch_size=3)
    np.testing.assert_allclose(found.features, embedded.features, rtol=1e-5, atol=1e-6)
    assert found.formulas == embedded.formulas


def test_files_hold_ids_formulas_and_features(embedded, tmp_path):
    embedded.write(tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz") as content:
        np.testing.assert_array_equal(content["features"], embedded.features)
        assert (tuple(content["ids"]), tuple(content["formulas"])) == (embedded.ids, embedded.formulas)
    embedded.write(tmp_path / "x.parquet")
    table = pq.read_table(tmp_path / "x.parquet")
    width = embedded.features.shape[1]
    assert table.column_names == ["id", "formula", *(f"f{k}" for k in range(width))]
    np.testing.assert_array_equal(table.column("f3").to_numpy(), embedded.features[:, 3])
    with pytest.raises(RequestError, match=r"\.parquet, \.npz"):
        embedded.write(tmp_path / "x.csv")
