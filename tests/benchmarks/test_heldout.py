"""Held-out crystals: the part of a file with a published split, and the errors of a model on it."""

import gzip
import json

import numpy as np
import pytest
from bench.heldout import heldout_errors
from bench.published_split import part_file

import phase2
from phase2.config.request import RunRequest
from phase2.config.resolve import resolve
from phase2.data.crystals.elements import SYMBOLS
from phase2.data.sources.registry import open_source
from phase2.errors import DataError, UnknownNameError
from phase2.training.run.experiment import RunContext, train_run


def records(count):
    """The first crystals of the sample as JARVIS's records, every fifth of them in the part ``val``."""
    source = open_source("sample")
    for k, raw in zip(range(count), source.records(), strict=False):
        crystal = source.parse(raw).crystal
        atoms = {
            "lattice_mat": crystal.lattice.tolist(),
            "coords": crystal.frac.tolist(),
            "elements": [SYMBOLS[z - 1] for z in crystal.species],
            "cartesian": False,
        }
        yield {"jid": f"c-{k}", "atoms": atoms, "split": "train" if k % 5 else "val", "band_gap": k / 10}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "all.json.gz"
    path.write_bytes(gzip.compress(json.dumps(list(records(60))).encode()))
    return path


def ids(path):
    return [raw.id for raw in open_source(str(path)).records()]


def test_the_parts_divide_the_file(data, tmp_path):
    train, val = (part_file(data, part, tmp_path) for part in ("train", "val"))
    assert ids(val) == [f"c-{k}" for k in range(0, 60, 5)]
    assert sorted(ids(train) + ids(val)) == sorted(ids(data))


def test_equal_files_have_equal_parts_wherever_they_lie(data, tmp_path):
    copy = tmp_path / "renamed.json.gz"
    copy.write_bytes(data.read_bytes())
    one, other = part_file(data, "val", tmp_path / "one"), part_file(copy, "val", tmp_path / "other")
    assert (one.name, one.read_bytes()) == (other.name, other.read_bytes())


def test_a_part_that_is_not_there_is_refused(data, tmp_path):
    with pytest.raises(UnknownNameError, match="'val'"):
        part_file(data, "vall", tmp_path)
    plain = tmp_path / "plain.json"
    plain.write_text(json.dumps([{"jid": "c-0"}]))
    with pytest.raises(DataError, match="no field 'split'"):
        part_file(plain, "val", tmp_path)
    assert not list(tmp_path.glob("val-*"))


@pytest.mark.slow
def test_errors_are_those_of_the_predictions(data, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_CACHE_DIR", str(tmp_path / "cache"))
    train, val = (str(part_file(data, part)) for part in ("train", "val"))
    request = RunRequest(
        algorithm="cgcnn", level="smoke", epochs=2, properties=("band_gap",), data=train, output=tmp_path
    )
    run = train_run(resolve(request), context=RunContext(with_baselines=False))
    (metrics,) = heldout_errors(run.directory.best, val, batch_size=5)

    labels = np.arange(0, 60, 5) / 10
    predicted = phase2.load_model(run.directory.best).predict(phase2.load_dataset(val).crystals).rows
    expected = np.abs(np.concatenate([row.values for row in predicted]) - labels).mean()
    assert (metrics.key, metrics.count) == ("band_gap", 12)
    assert metrics.mae == pytest.approx(expected, rel=1e-6)
