"""Held-out crystals: the part of a file with a published split, and the errors of a model on it."""

import json

import numpy as np
import pytest
from bench.heldout import predict_heldout
from bench.published_split import part_file

import phase2
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.data.sources.registry import open_source
from phase2.errors import DataError, UnknownNameError
from phase2.training.run.experiment import RunContext, train_run


def ids(path):
    return [raw.id for raw in open_source(str(path)).records()]


def test_the_parts_divide_the_file(data, tmp_path):
    train, val = (part_file(data, part, folder=tmp_path) for part in ("train", "val"))
    assert ids(val) == [f"c-{k}" for k in range(0, 60, 5)]
    assert sorted(ids(train) + ids(val)) == sorted(ids(data))
    assert ids(part_file(data, "train", "val", folder=tmp_path)) == ids(data)


def test_equal_files_have_equal_parts_wherever_they_lie(data, tmp_path):
    copy = tmp_path / "renamed.json.gz"
    copy.write_bytes(data.read_bytes())
    one, other = part_file(data, "val", folder=tmp_path / "one"), part_file(copy, "val", folder=tmp_path / "other")
    assert (one.name, one.read_bytes()) == (other.name, other.read_bytes())


def test_a_part_that_is_not_there_is_refused(data, tmp_path):
    with pytest.raises(UnknownNameError, match="'val'"):
        part_file(data, "vall", folder=tmp_path)
    plain = tmp_path / "plain.json"
    plain.write_text(json.dumps([{"jid": "c-0"}]))
    with pytest.raises(DataError, match="no field 'split'"):
        part_file(plain, "val", folder=tmp_path)
    assert not list(tmp_path.glob("val-*"))


@pytest.mark.slow
def test_errors_are_those_of_the_predictions(data, tmp_path):
    train, val = (str(part_file(data, part)) for part in ("train", "val"))
    request = RunRequest(
        algorithm="cgcnn", level="smoke", epochs=2, properties=("band_gap",), data=train, output=tmp_path
    )
    run = train_run(resolve(request), context=RunContext(with_baselines=False))
    (metrics,) = predict_heldout(run.directory.best, val, batch_size=5).errors()

    labels = np.arange(0, 60, 5) / 10
    predicted = phase2.load_model(run.directory.best).predict(phase2.load_dataset(val).crystals).rows
    expected = np.abs(np.concatenate([row.values for row in predicted]) - labels).mean()
    assert (metrics.key, metrics.count) == ("band_gap", 12)
    assert metrics.mae == pytest.approx(expected, rel=1e-6)
