"""Data sets as crystals and labels."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import phase2
from phase2.api.request import run_request
from phase2.errors import RequestError


@pytest.fixture(scope="module")
def sample():
    return phase2.load_dataset("sample")


def test_nothing_is_read_before_it_is_asked_for(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text("this is no JSON")
    dataset = phase2.load_dataset(path)
    assert "not read yet" in repr(dataset)
    with pytest.raises(ValueError, match=r"mine\.json"):
        len(dataset)


def test_the_sample_has_crystals_and_labels(sample):
    assert len(sample) == len(sample.crystals) == 6317
    structure = sample.crystals[0].to_pymatgen()
    assert structure.composition.reduced_formula == "Pd"
    assert sample.label_counts["band_gap"] == np.isfinite(sample.labels[:, 1]).sum() > 1000
    assert "6,317 crystals" in repr(sample)


def test_properties_of_ones_own_are_read(tmp_path):
    shutil.copy(Path(__file__).parents[2] / "docs" / "examples" / "NaCl.cif", tmp_path)
    (tmp_path / "t.csv").write_text("file,heat capacity [meV/K]\nNaCl.cif,500\n")
    data = phase2.load_dataset(tmp_path, own_properties=["cv:eV/K:heat capacity"])
    assert data.label_counts["cv"] == 1
    assert data.to_pandas()["cv [eV/K]"].tolist() == [0.5]
    with pytest.raises(phase2.Phase2Error, match="band_gap"):
        phase2.load_dataset(tmp_path, own_properties=["band_gap:eV:gap"])


def test_labels_go_to_pandas_with_units(sample):
    frame = sample.to_pandas()
    assert len(frame) == 6317
    assert "formation_energy [eV/atom]" in frame.columns
    assert frame["band_gap [eV]"].count() == sample.label_counts["band_gap"]
    assert "spillage" not in frame.columns, "it has no labels here"


def test_a_record_that_is_no_crystal_is_named(tmp_path):
    lattice = (4 * np.eye(3)).tolist()
    good = {"lattice_mat": lattice, "coords": [[0, 0, 0]], "elements": ["Na"], "cartesian": False}
    bad = good | {"elements": ["Xx"]}
    records = [{"jid": "a", "atoms": good, "optb88vdw_bandgap": 0.5}, {"jid": "b", "atoms": bad}]
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(records))
    dataset = phase2.load_dataset(str(path))
    assert [crystal.id for crystal in dataset.crystals] == ["a"]
    assert [flaw.id for flaw in dataset.rejected] == ["b"]
    assert "Xx" in dataset.rejected[0].reason
    assert dataset.records() == [["a", "Na", 1, 0.5]]


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'sample'"):
        phase2.load_dataset("sampel")


@pytest.fixture
def labelled(tmp_path):
    """Thirty crystals of the sample in a file of their own."""
    rows = [row for row in phase2.load_dataset("sample") if np.isfinite(row.targets[:2]).all()][:30]
    records = [
        {"id": row.crystal.id, "formation_energy": row.targets[0], "band_gap": row.targets[1]}
        | {"structure": row.crystal.to_pymatgen().as_dict()}
        for row in rows
    ]  # fmt: skip
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(records))
    return path


@pytest.mark.parametrize("value", [5, None, ["a.cif"], b"sample"])
def test_what_is_neither_name_nor_path_is_refused_with_what_is(value):
    with pytest.raises(RequestError, match=rf"type {type(value).__name__} is no data set.*a path"):
        phase2.load_dataset(value)


def test_an_opened_data_set_is_trained_on_and_evaluated_as_its_path_is(run, labelled):
    model, data = phase2.load_model(run), phase2.load_dataset(labelled)
    assert len(data) == 30
    assert run_request({"data": data}) == run_request({"data": labelled})
    assert model.evaluate(data, resamples=0).rows == model.evaluate(labelled, resamples=0).rows


def test_a_data_set_that_was_read_in_another_way_is_named_instead(run, labelled):
    model = phase2.load_model(run)
    changed = phase2.load_dataset(labelled, own_properties=["cv:eV/K:heat"], limits={"atoms": 50})
    for call in (lambda: model.evaluate(changed), lambda: phase2.train(data=changed)):
        with pytest.raises(RequestError, match=rf"own_properties and limits.*{labelled}"):
            call()
    with pytest.raises(RequestError, match="type list is no data set"):
        phase2.train(data=[1])  # type: ignore[arg-type]
