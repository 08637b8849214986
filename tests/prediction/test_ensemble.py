"""An ensemble averages the predictions of its models, and fails as one."""

from dataclasses import replace

import numpy as np
import pytest

from phase2.config.schema import GraphSpec
from phase2.errors import RequestError, UnknownNameError
from phase2.prediction.ensemble import combine_tables, predict_ensemble
from phase2.prediction.predicting import predict_structures
from phase2.prediction.predictor import Predictor
from phase2.prediction.reading.graph_reader import GraphReader
from phase2.prediction.table import PredictedStructure, PredictionTable


@pytest.fixture(scope="session")
def pair(predictor, wider_predictor):
    return [predictor, wider_predictor]


def test_values_are_means_and_spreads_are_standard_deviations_of_a_sample(pair, examples):
    singles = np.array([[row.values for row in predict_structures(one, examples).rows] for one in pair])
    table = predict_ensemble(pair, examples)
    assert table.members == 2
    assert [row.file for row in table.rows] == [str(path) for path in examples]
    values = np.array([row.values for row in table.rows], dtype=np.float64)
    spreads = np.array([row.spread for row in table.rows], dtype=np.float64)
    np.testing.assert_allclose(values, singles.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(spreads, abs(singles[0] - singles[1]) / 2**0.5, rtol=1e-5)
    assert np.max(spreads) > 0


def test_progress_counts_the_predictions_of_all_models(pair, examples, progress):
    predict_ensemble(pair, examples, batch_size=2, progress=progress)
    assert progress.seen == [(2, 8), (4, 8), (6, 8), (8, 8)]


def test_members_with_the_same_graphs_read_once(pair, examples):
    read = []

    class Counted(GraphReader):
        def batches(self, structures, spec, size):
            read.append(spec)
            return super().batches(structures, spec, size)

    with Counted() as reader:
        table = predict_ensemble(pair, examples, batch_size=3, reader=reader)
        config = pair[1].model.config
        wider = GraphSpec(cutoff=config.data.graph.cutoff + 0.5)
        other = replace(
            pair[1].model, config=config.model_copy(update={"data": config.data.model_copy(update={"graph": wider})})
        )
        assert len(read) == 1
        mixed = predict_ensemble([pair[0], Predictor(other, pair[1].path), pair[1]], examples, reader=reader)
    assert read[1:] == [config.data.graph, wider]
    singles = [predict_structures(one, examples, batch_size=3).rows for one in pair]
    for row, *alone in zip(table.rows, *singles, strict=True):
        np.testing.assert_array_equal(row.values, np.mean([one.values for one in alone], axis=0))
    assert not mixed.failures


def test_one_model_is_refused(predictor, examples):
    with pytest.raises(RequestError, match="no ensemble"):
        predict_ensemble([predictor], examples)


def test_an_unknown_property_fails_before_the_first_prediction(pair, examples, progress):
    with pytest.raises(UnknownNameError):
        predict_ensemble(pair, examples, properties=["spillage"], progress=progress)
    assert progress.seen == []


def test_requested_properties_keep_their_order(pair, examples):
    table = predict_ensemble(pair, examples, properties=["shear_modulus", "band_gap"])
    assert [p.key for p in table.properties] == ["shear_modulus", "band_gap"]


def test_an_unreadable_file_has_neither_value_nor_spread(pair, examples, tmp_path):
    (tmp_path / "empty.cif").write_text("")
    bad, good = predict_ensemble(pair, [tmp_path / "empty.cif", examples[0]]).rows
    assert bad.values is None
    assert bad.spread is None
    assert "holds no valid crystal" in bad.error
    assert good.spread is not None


def test_a_failure_of_one_model_is_that_of_the_ensemble(predictor):
    properties = predictor.model.properties
    values = np.ones(len(properties))
    good = PredictedStructure("x.cif", "Si", values, warning="not in the training set: Si")
    bad = PredictedStructure("x.cif", "Si", None, error="not finite", warning="not in the training set: Si")
    (row,) = combine_tables([PredictionTable(properties, (one,)) for one in (good, bad)]).rows
    assert (row.values, row.spread, row.error) == (None, None, "not finite")
    assert row.warning == "not in the training set: Si", "equal warnings are given once"
