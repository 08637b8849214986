"""A trained model predicts the same as in its run, whatever the order, the batch or the choice of the cell."""

import csv
import shutil

import numpy as np
import pytest

from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.readers import read_structure
from phase2.data.graphs.packing import pack
from phase2.data.sources.registry import open_source
from phase2.errors import InvalidCrystalError, ModelFileError, RequestError, UnknownNameError
from phase2.prediction.predicting import predict_structures
from phase2.prediction.predictor import Predictor
from phase2.testing.crystals import rock_salt, triclinic, zinc_blende
from phase2.testing.tensor_files import save_signed

CRYSTALS = [rock_salt(), triclinic(), zinc_blende()]
KEYS = ["formation_energy", "band_gap", "bulk_modulus", "shear_modulus"]


def values_of(table):
    return np.array([row.values for row in table.rows], dtype=np.float64)


def test_predictions_of_the_test_set_are_those_of_the_run(predictor, run):
    with (run / "predictions_test.csv").open() as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    source = open_source("sample")
    crystals = [source.parse(raw).crystal for raw in source.records() if raw.id in rows]
    assert len(crystals) == len(rows) > 1
    predicted = predictor.predict(crystals)
    expected = [
        [float(value) for name, value in rows[crystal.id].items() if "_predicted" in name] for crystal in crystals
    ]
    np.testing.assert_allclose(predicted, expected, rtol=1e-4, atol=1e-5)


def test_predictions_are_float64_in_the_order_of_the_crystals(predictor):
    forward, backward = predictor.predict(CRYSTALS), predictor.predict(CRYSTALS[::-1])
    assert forward.shape == (3, len(KEYS))
    assert forward.dtype == np.float64
    np.testing.assert_allclose(forward, backward[::-1], rtol=1e-5)
    assert len(np.unique(forward[:, 0])) == 3, "different crystals have different predictions"


def test_a_supercell_has_the_predictions_of_its_cell(predictor):
    cell = triclinic()
    sites = np.concatenate([cell.frac, cell.frac + np.array([1, 0, 0])]) / [2, 1, 1]
    doubled = Crystal.checked("doubled", 2 * cell.species.tolist(), sites, cell.lattice * [[2], [1], [1]])
    np.testing.assert_allclose(predictor.predict([doubled]), predictor.predict([cell]), rtol=1e-5)


def test_known_graphs_give_the_predictions_of_their_crystals(predictor):
    graphs = pack(CRYSTALS, predictor.model.config.data.graph)
    np.testing.assert_array_equal(predictor.predict_graphs(graphs), predictor.predict(CRYSTALS))


def test_overlapping_atoms_are_refused(predictor):
    overlapping = Crystal.checked("close", [11, 17], np.array([[0, 0, 0], [0.01, 0, 0]]), np.eye(3) * 5)
    with pytest.raises(InvalidCrystalError, match=r"site 0 \(Na\) and site 1 \(Cl\)"):
        predictor.predict([rock_salt(), overlapping])


def test_a_model_file_needs_no_other_file(predictor, run, tmp_path):
    copy = shutil.copy(run / "best.pt", tmp_path / "model.pt")
    np.testing.assert_array_equal(Predictor.load(copy).predict(CRYSTALS), predictor.predict(CRYSTALS))


def test_a_damaged_model_file_is_refused(run, tmp_path):
    content = bytearray((run / "best.pt").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "best.pt").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"best\.pt cannot be used"):
        Predictor.load(tmp_path / "best.pt")


@pytest.mark.parametrize(("keys", "columns"), [(None, [0, 1, 2, 3]), (KEYS[::-1], [3, 2, 1, 0]), (["band_gap"], [1])])
def test_columns_follow_the_requested_properties(predictor, keys, columns):
    assert predictor.output_columns(keys) == columns


def test_properties_that_the_model_lacks_are_refused_with_the_nearest(predictor):
    with pytest.raises(UnknownNameError, match="Did you mean 'band_gap'"):
        predictor.output_columns(["formation_energy", "bandgap"])
    with pytest.raises(UnknownNameError, match="spillage"):
        predictor.output_columns(["spillage"])


@pytest.mark.parametrize("keys", [[], ["band_gap", "band_gap"]])
def test_an_empty_or_repeated_request_is_refused(predictor, keys):
    with pytest.raises(RequestError):
        predictor.output_columns(keys)


def test_elements_outside_the_training_set_are_named(predictor):
    known = np.array(predictor.model.species, dtype=np.uint8)
    assert predictor.unseen_elements_warning(known) == ""
    unseen = np.array([118, known[0], 117], dtype=np.uint8)
    assert predictor.unseen_elements_warning(unseen) == "not in the training set: Ts, Og"


def test_files_give_the_predictions_of_their_crystals(predictor, examples, progress):
    table = predict_structures(predictor, examples, batch_size=3, progress=progress)
    assert [row.file for row in table.rows] == [str(path) for path in examples]
    assert [row.formula for row in table.rows] == [read_structure(path).formula for path in examples]
    expected = predictor.predict([read_structure(path) for path in examples])
    np.testing.assert_allclose(values_of(table), expected, rtol=1e-5)
    assert progress.seen == [(3, 4), (4, 4)]


def test_requested_properties_select_the_columns(predictor, examples):
    whole = predict_structures(predictor, examples)
    part = predict_structures(predictor, examples, properties=["shear_modulus", "band_gap"])
    assert [p.key for p in part.properties] == ["shear_modulus", "band_gap"]
    np.testing.assert_array_equal(values_of(part), values_of(whole)[:, [3, 1]])


def test_an_unreadable_file_is_a_row_with_the_reason(predictor, examples, tmp_path):
    empty, missing = tmp_path / "empty.cif", tmp_path / "missing.cif"
    empty.write_text("")
    table = predict_structures(predictor, [empty, examples[0], missing, examples[1]], batch_size=2)
    assert [row.values is None for row in table.rows] == [True, False, True, False]
    assert table.failures == (table.rows[0], table.rows[2])
    assert "holds no valid crystal" in table.rows[0].error
    assert "No such file" in table.rows[2].error
    alone = predict_structures(predictor, examples[:2])
    predicted = [row.values for row in table.rows if row.values is not None]
    np.testing.assert_allclose(predicted, values_of(alone), rtol=1e-5)


def test_a_prediction_that_is_not_finite_is_an_error(run, examples, tmp_path):
    import torch

    content = torch.load(run / "best.pt", weights_only=True)
    content["scaler"]["mean"] = [1e6] * len(KEYS)  # the logarithm of a modulus
    save_signed(content, tmp_path / "best.pt")
    (row,) = predict_structures(Predictor.load(tmp_path / "best.pt"), examples[:1]).rows
    assert row.values is None
    assert row.formula
    assert "not finite" in row.error


def test_what_was_assumed_in_reading_a_file_is_a_warning(predictor, tmp_path, examples):
    salt = examples[1]
    path = tmp_path / "vacant.cif"
    path.write_text(salt.read_text().rstrip("\n") + "\n  Xe  Xe9  8  0.25  0.25  0.25  0\n")
    plain, vacant = predict_structures(predictor, [salt, path]).rows
    assert "1 site(s) with the occupancy 0 are left out: 'Xe9'" in vacant.warning
    assert vacant.values == pytest.approx(plain.values, rel=1e-5)
