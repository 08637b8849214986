"""Published protocols: the folds, the files, and the score of what was trained."""

import gzip
import json
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from bench.heldout import predict_heldout
from bench.protocols.boosting import with_heldout
from bench.protocols.jarvis import jarvis
from bench.protocols.matbench import fold_numbers, matbench
from bench.protocols.protocol import log10_error, mean_absolute_error
from bench.published_split import part_file
from bench.study.declared.learning_curve import LEARNING_CURVE
from bench.study.results import finished_run
from bench.study.runner import train_missing
from pymatgen.core import Structure

from phase2.baselines.boosting import predict_by_boosting
from phase2.config.resolve import resolve
from phase2.data.crystals.elements import SYMBOLS
from phase2.data.sources.registry import open_source
from phase2.errors import DataError
from phase2.properties import KEYS
from phase2.runs.addresses import stored_model_file
from phase2.storage.folder import LocalStore

TINY = ("model.size=small", "model.channels=[4,2]", "model.layers=1")


@pytest.fixture(scope="module")
def moduli(tmp_path_factory, crystals):
    """A file in matbench's format: a table of pymatgen's structures, and log10 of 1, 2, 3, ... GPa."""
    rows = [
        [Structure(c.lattice, [SYMBOLS[z - 1] for z in c.species], c.frac).as_dict(), float(np.log10(k + 1))]
        for k, c in enumerate(crystals)
    ]
    names = [f"mb-{k:03}" for k in range(len(rows))]
    path = tmp_path_factory.mktemp("matbench") / "matbench_log_kvrh.json.gz"
    frame = {"index": names, "columns": ["structure", "log10(K_VRH)"], "data": rows}
    path.write_bytes(gzip.compress(json.dumps(frame).encode()))
    return path


@pytest.fixture(scope="module")
def phonons(tmp_path_factory, moduli):
    """The same crystals in the file of a task whose target is none of the nine properties: 1, 2, 3, ... per cm."""
    frame = json.loads(gzip.decompress(moduli.read_bytes()))
    frame["columns"] = ["structure", "last phdos peak"]
    frame["data"] = [[structure, float(k + 1)] for k, (structure, _) in enumerate(frame["data"])]
    path = tmp_path_factory.mktemp("matbench") / "matbench_phonons.json.gz"
    path.write_bytes(gzip.compress(json.dumps(frame).encode()))
    return path


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    """The split of a leaderboard: 40 training, 10 validation and 10 test crystals, with labels of its own."""
    parts = {"train": range(40), "val": range(40, 50), "test": range(50, 60)}
    path = tmp_path_factory.mktemp("jarvis") / "dft_3d_optb88vdw_bandgap.json.zip"
    with zipfile.ZipFile(path, "w") as archive:
        labels = {part: {f"c-{k}": k / 100 for k in rows} for part, rows in parts.items()}
        archive.writestr("dft_3d_optb88vdw_bandgap.json", json.dumps(labels))
    return path


def labelled(path):
    source = open_source(str(path))
    return [source.parse(raw) for raw in source.records()]


def labels_of(path, key):
    return np.array([one.targets[KEYS.index(key)] for one in labelled(path)])


def test_folds_divide_the_rows_and_are_matbenchs():
    """The test rows of fold 0 of ten rows, as scikit-learn draws them with matbench's seed."""
    folds = fold_numbers(10)
    assert sorted(folds) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    order = np.random.RandomState(18012019).permutation(10)
    assert {k for k, fold in enumerate(folds) if fold == 0} == set(order[:2].tolist())


def test_a_file_of_matbench_becomes_crystals_with_moduli_in_gpa(moduli, crystals):
    protocol = matbench("log_kvrh", moduli)
    found = labelled(protocol.data)
    assert [one.crystal.id for one in found] == [f"mb-{k:03}" for k in range(60)]
    assert np.allclose(labels_of(protocol.data, "bulk_modulus"), np.arange(1, 61))
    for one, crystal in zip(found, crystals, strict=True):
        assert np.array_equal(one.crystal.species, crystal.species)
        assert np.allclose(one.crystal.lattice, crystal.lattice)
    for fold in protocol.folds:
        seen, heldout = (part_file(protocol.data, *parts) for parts in (fold.seen, (fold.heldout,)))
        ids = [{one.crystal.id for one in labelled(path)} for path in (seen, heldout)]
        assert not ids[0] & ids[1]
        assert len(ids[0] | ids[1]) == 60


def test_a_target_that_is_none_of_the_nine_is_a_property_of_the_run(phonons):
    protocol = matbench("phonons", phonons)
    own = protocol.prop.as_property()
    assert (own.key, own.unit, own.column) == ("peak", "1/cm", "last phdos peak")
    source = open_source(str(protocol.data), properties=(own,))
    assert [source.parse(raw).targets.tolist() for raw in source.records()] == [[k] for k in range(1, 61)]
    runs = protocol.runs([42], 2, TINY)
    assert [run.request().own_properties for run in runs] == [(protocol.prop,)] * 5
    assert [resolve(run.request()).config.properties for run in runs] == [("peak",)] * 5


def test_another_file_is_refused(data, moduli, split):
    with pytest.raises(DataError, match=r"log10\(K_VRH\)"):
        matbench("log_kvrh", data)
    with pytest.raises(DataError, match=r"log10\(G_VRH\)"):
        matbench("log_gvrh", moduli)
    with pytest.raises(DataError, match="no split of JARVIS-Leaderboard"):
        jarvis("band_gap", data, data)


def test_a_split_of_another_release_is_refused(tmp_path, records, split):
    path = tmp_path / "other.json"
    path.write_text(json.dumps(records[:-2]))
    with pytest.raises(DataError, match=r"2 of 60 crystals .* c-58"):
        jarvis("band_gap", path, split)


def test_errors_in_log10_take_no_prediction_below_the_lowest_label():
    assert log10_error(np.array([0.0, 100.0]), np.array([10.0, 10.0]), lowest=1.0) == pytest.approx(1.0)
    assert mean_absolute_error(np.array([1.0, 4.0]), np.array([2.0, 2.0])) == 1.5


@pytest.mark.slow
def test_a_fold_is_trained_on_what_it_sees_and_scored_in_log10_on_the_rest(moduli, tmp_path):
    protocol = matbench("log_kvrh", moduli)
    protocol = replace(protocol, folds=protocol.folds[:1])
    store, runs = LocalStore(tmp_path / "store"), protocol.runs([42], 2, TINY)
    assert protocol.table(protocol.errors(store, runs)) == "Not run."
    assert train_missing(runs, str(tmp_path / "store"), tmp_path / "output") == 0
    finished = finished_run(store, runs[0])
    assert finished.manifest.data.used == 48
    (fold,) = protocol.folds
    heldout = part_file(protocol.data, fold.heldout)
    predicted = predict_heldout(stored_model_file(store, finished.prefix), str(heldout)).predictions[:, 0]
    lowest = labels_of(part_file(protocol.data, *fold.seen), "bulk_modulus").min()
    expected = np.abs(np.log10(np.maximum(predicted, lowest)) - np.log10(labels_of(heldout, "bulk_modulus"))).mean()
    assert protocol.errors(store, runs) == {"fold0": [pytest.approx(expected)]}


@pytest.mark.slow
def test_a_fold_of_another_target_is_scored_by_its_mean_absolute_error(phonons, tmp_path):
    protocol = matbench("phonons", phonons)
    protocol = replace(protocol, folds=protocol.folds[:1])
    store, runs = LocalStore(tmp_path / "store"), protocol.runs([42], 2, TINY)
    assert train_missing(runs, str(tmp_path / "store"), tmp_path / "output") == 0
    finished = finished_run(store, runs[0])
    heldout = part_file(protocol.data, protocol.folds[0].heldout)
    found = predict_heldout(stored_model_file(store, finished.prefix), str(heldout))
    assert sorted(found.labels[:, 0]) == sorted(fold_zero := [k + 1 for k, n in enumerate(fold_numbers(60)) if n == 0])
    assert len(fold_zero) == 12
    expected = float(np.abs(found.predictions - found.labels).mean())
    assert protocol.errors(store, runs) == {"fold0": [pytest.approx(expected)]}


@pytest.mark.slow
def test_the_split_of_jarvis_from_the_command_line(data, split, tmp_path):
    words = ["jarvis", "--property", "band_gap", "--data", str(data), "--split", str(split)]
    words += ["--store", str(tmp_path / "store"), "--output", str(tmp_path / "output"), "--epochs", "1"]
    words += [word for setting in TINY for word in ("--set", setting)]
    ended = [
        subprocess.run(
            [sys.executable, "-m", "bench.protocols", command, *words], check=False, capture_output=True, text=True
        )
        for command in ("run", "score")
    ]
    assert [one.returncode for one in ended] == [0, 0], ended
    protocol = jarvis("band_gap", data, split)
    (run,) = protocol.runs([42], 1, TINY)
    manifest = finished_run(LocalStore(tmp_path / "store"), run).manifest
    assert (manifest.data.train, manifest.data.val, manifest.data.test) == (40, 5, 5)
    assert ended[1].stdout.splitlines()[2].startswith("| paper | ")
    assert np.allclose(labels_of(part_file(protocol.data, "test"), "band_gap"), np.arange(50, 60) / 100)


def test_boosting_is_fitted_to_the_training_part_and_evaluated_on_the_held_out_one(data):
    dataset = with_heldout(LEARNING_CURVE, data, "500", "band_gap")
    ids = dataset.graphs.ids
    heldout = {f"c-{k}" for k in range(0, 60, 5)}
    assert set(ids[dataset.split.test]) == heldout
    assert not heldout & {*ids[dataset.split.train], *ids[dataset.split.val]}
    assert dataset.targets[dataset.split.test][:, 0].tolist() == pytest.approx([k / 10 for k in range(0, 60, 5)])
    assert np.isfinite(predict_by_boosting(dataset, seed=1).test).all()
