"""From structures in any form to a table of predictions."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read
from pymatgen.core import Lattice, Structure

import phase2
from phase2.errors import RequestError
from phase2.prediction.predicting import predict_structures
from phase2.prediction.predictor import Predictor

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
NACL = EXAMPLES / "NaCl.cif"


@pytest.fixture(scope="module")
def model(run):
    return phase2.load_model(run)


@pytest.fixture(scope="module")
def salt():
    return Structure.from_file(NACL)


def test_all_forms_of_one_structure_give_one_prediction(model, salt):
    crystal = phase2.load_dataset("sample").crystals[0]
    atoms = read(NACL)
    table = model.predict([str(NACL), NACL, salt, atoms, crystal])
    assert [row.file for row in table] == [str(NACL), str(NACL), "structures[2]", "structures[3]", crystal.id]
    assert not table.failures
    values = np.stack([row.values for row in table])
    np.testing.assert_allclose(values[1:4], np.repeat(values[:1], 3, axis=0), rtol=1e-4, atol=1e-5)
    assert not np.allclose(values[4], values[0])


def test_predictions_are_those_of_the_command_line(model, run):
    files = sorted(EXAMPLES.glob("*.cif"))
    expected = predict_structures(Predictor.load(run.best_model), files)
    table = model.predict(EXAMPLES)
    assert [row.file for row in table] == [str(path) for path in files]
    for ours, theirs in zip(table, expected.rows, strict=True):
        assert (ours.values == theirs.values).all()


def test_padded_batches_predict_alike(model, run):
    found = phase2.load_model(run, padding_buckets=2).predict(EXAMPLES, batch_size=2)
    for ours, theirs in zip(found, model.predict(EXAMPLES), strict=True):
        assert ours.values == pytest.approx(theirs.values, rel=1e-5)
    for impossible in (-1, 65):
        with pytest.raises(RequestError, match=f"padding_buckets={impossible}"):
            phase2.load_model(run, padding_buckets=impossible)


@pytest.mark.parametrize("one", [str(NACL), "structure", "atoms", "crystal"])
def test_one_structure_needs_no_list(model, salt, one):
    structure = {
        "structure": salt, "atoms": read(NACL), "crystal": phase2.load_dataset("sample").crystals[0]
    }.get(one, one)  # fmt: skip
    table = model.predict(structure)
    assert len(table) == 1
    assert not table.failures


def test_a_data_set_stands_for_its_crystals_and_a_row_of_it_for_its_own(model, tmp_path):
    files = [Path(shutil.copy(path, tmp_path)).name for path in EXAMPLES.glob("*.cif")]
    (tmp_path / "labels.csv").write_text("\n".join(["file,band_gap [eV]", *(f"{name},1" for name in files)]))
    data = phase2.load_dataset(tmp_path)
    values = [row.values.tolist() for row in model.predict(data.crystals)]
    assert [row.values.tolist() for row in model.predict(data)] == values
    mixed = model.predict([data[0], data.crystals[1]])
    np.testing.assert_allclose([row.values for row in mixed], values[:2], rtol=1e-5)
    assert model.predict(data[0])[0].file == data.crystals[0].id
    assert model.embed(data).ids == tuple(crystal.id for crystal in data.crystals)


def test_the_mapping_of_a_structure_is_a_structure_and_no_other_mapping(model, salt):
    (expected,) = model.predict(salt)
    for given in (salt.as_dict(), [salt.as_dict()]):
        (row,) = model.predict(given)
        assert (row.file, row.error) == ("structures[0]", "")
        np.testing.assert_allclose(row.values, expected.values, rtol=1e-6)
    damaged = [salt.as_dict() | {"lattice": {"matrix": 5}}, salt.as_dict() | {"sites": [1]}, {"a": salt}]
    assert all(row.error for row in model.predict(damaged))
    with pytest.raises(RequestError, match=r"list\(structures\.values\(\)\)"):
        model.predict({"salt": salt})


def test_properties_are_given_in_one_text_as_well(model):
    keys = ["band_gap", "formation_energy"]
    assert (
        model.predict(NACL, properties="band_gap, formation_energy").columns()
        == model.predict(NACL, properties=keys).columns()
    )
    found = model.evaluate(properties="band_gap", resamples=0)
    assert {row.property for row in found} == {"band_gap"}
    with pytest.raises(ValueError, match="Did you mean 'band_gap'"):
        model.predict(NACL, properties="bandgap")


def test_a_bad_input_costs_one_row_and_says_why(model, salt):
    slab = Atoms("NaCl", positions=[[0, 0, 0], [2.8, 0, 0]], cell=[4, 4, 20], pbc=[True, True, False])
    flat = Atoms("Na", positions=[[0, 0, 0]], cell=[4, 4, 0], pbc=True)
    close = Structure(Lattice.cubic(4), ["Na", "Cl"], [[0, 0, 0], [0.01, 0, 0]])
    mixed = Structure(Lattice.cubic(4), [{"Na": 0.5, "K": 0.5}], [[0, 0, 0]])
    inputs = [salt, "nowhere.cif", slab, flat, close, mixed, 7, None, NACL]
    table = model.predict(inputs, batch_size=4)
    says = ("nowhere.cif", "2 of 3 directions", "volume", "", "disordered", "an int", "a NoneType")
    reasons = [row.error for row in table]
    assert [bool(reason) for reason in reasons] == [False, *[True] * 7, False]
    for reason, words in zip(reasons[1:8], says, strict=True):
        assert words in reason
    assert [row.file for row in table.failures][1] == "structures[2]"
    alone = model.predict([salt, NACL])
    np.testing.assert_allclose(np.stack([table[0].values, table[8].values]), np.stack([r.values for r in alone]), 1e-4)


def test_disorder_that_ase_keeps_aside_is_refused(model, tmp_path):
    path = tmp_path / "mixed.cif"
    Structure(Lattice.cubic(4), [{"Na": 0.5, "K": 0.5}], [[0, 0, 0]]).to(str(path))
    (row,) = model.predict([read(path)])
    assert "disordered" in row.error


def test_the_table_goes_to_pandas_with_units(model):
    frame = model.predict([NACL, "nowhere.cif"], properties=["band_gap", "bulk_modulus"]).to_pandas()
    assert list(frame.columns) == ["file", "formula", "band_gap [eV]", "bulk_modulus [GPa]", "warning", "error"]
    assert frame["band_gap [eV]"].dtype == float
    assert frame["band_gap [eV]"].isna().tolist() == [False, True]
    assert "ClNa" in repr(model.predict(NACL))
    assert "<table>" in model.predict(NACL)._repr_html_()


def test_the_table_is_written_in_every_format(model, tmp_path):
    import pandas as pd

    table = model.predict(EXAMPLES)
    table.write(tmp_path / "p.csv")
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "p.csv")[table.columns()[1:6]], table.to_pandas()[table.columns()[1:6]]
    )
    with pytest.raises(phase2.Phase2Error, match="no known format"):
        table.write(tmp_path / "p.xlsx")


def test_several_models_are_an_ensemble_with_a_spread(run):
    table = phase2.load_model([run, run.best_model]).predict(NACL)
    frame = table.to_pandas()
    assert frame["std of band_gap [eV]"].tolist() == [0.0]


def test_iterators_and_nothing_are_inputs(model):
    assert len(model.predict(path for path in [NACL, NACL])) == 2
    assert len(model.predict([])) == 0


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"properties": ["bandgap"]}, "Did you mean 'band_gap'"),
        ({"properties": ["spillage"]}, "spillage"),
        ({"batch_size": 0}, "batch_size=0"),
    ],
)
def test_what_cannot_be_predicted_is_refused(model, keywords, says):
    with pytest.raises(ValueError, match=says):
        model.predict(NACL, **keywords)


def test_the_callers_threads_stay(model):
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        model.predict(NACL)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_a_model_describes_itself(model):
    assert [p.key for p in model.properties] == ["formation_energy", "band_gap", "bulk_modulus", "shear_modulus"]
    assert "Cl" in model.elements or len(model.elements) > 10
    assert "cgcnn model of run" in repr(model)
    assert model.device == "cpu" or model.device.startswith("cuda")


@pytest.mark.parametrize(
    ("device", "says"),
    [
        ("cuda:97", "cpu"),
        ("mps", "Apple"),
        ("gpu", "Unknown device 'gpu'"),
    ],
)
def test_a_device_that_is_not_here_is_refused_with_those_that_are(run, device, says):
    with pytest.raises(RequestError, match=says) as caught:
        phase2.load_model(run, device=device)
    assert isinstance(caught.value, ValueError)
    assert "cpu" in str(caught.value)
    assert caught.value.exit_code == 2
