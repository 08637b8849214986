"""The record of a training that others watch: it follows, survives a failure, and goes when the run is finished."""

import json
from dataclasses import replace

import pytest

from phase2.runs.live.record import MOST_ROWS, LiveRecord
from phase2.storage.records import read_record
from phase2.training.callbacks.base import AttemptBegin, Callback
from phase2.training.callbacks.composite import CompositeCallback
from phase2.training.telemetry import live


class Read(Callback):
    def __init__(self, path):
        self.path, self.records = path, []

    def on_epoch_end(self, event):
        self.records.append(read_record(self.path, LiveRecord))


@pytest.fixture
def begin(tmp_path):
    return AttemptBegin("r", "cgcnn", "smoke", 2, "cpu", tmp_path / "none.pt", None)


def failing(path, begin, train):
    """Train, and fail after the last step."""

    def attempt():
        with live.live_record(path, None) as progress:
            progress.on_attempt_begin(begin)
            train(progress)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        attempt()


def test_it_follows_the_training_and_goes_with_its_end(make_trainer, begin, tmp_path, monkeypatch):
    monkeypatch.setattr(live, "FOLDER_SECONDS", 0.0005)
    monkeypatch.setattr(live, "STORE_SECONDS", 0.0005)
    path = tmp_path / ".progress.json"
    uploads: list[bytes] = []
    reader = Read(path)
    with live.live_record(path, uploads.append) as progress:
        progress.on_attempt_begin(begin)
        make_trainer(epochs=4, callback=CompositeCallback([progress, reader])).fit()
    assert not path.exists()
    first, *_, last = reader.records
    assert (first.run_id, first.attempt, first.phase, first.epochs) == ("r", 2, "training", 4)
    assert last.step > first.step
    assert last.rows[:1] == tuple(progress.rows[:1])
    assert json.loads(uploads[-1])["run_id"] == "r"
    assert {json.loads(content)["phase"] for content in uploads} == {"training"}


def test_a_failure_leaves_it_and_is_not_hidden(make_trainer, begin, tmp_path):
    path = tmp_path / ".progress.json"
    failing(path, begin, lambda progress: make_trainer(epochs=1, callback=progress).fit())
    left = read_record(path, LiveRecord)
    assert (left.phase, left.step, len(left.rows)) == ("ended", left.steps, 1)


def test_a_continued_run_has_the_epochs_of_earlier_attempts(make_trainer, begin, tmp_path):
    make_trainer(epochs=3).fit()
    path = tmp_path / ".progress.json"

    def resume(progress):
        continued = make_trainer(epochs=3, callback=progress)
        continued.resume()
        progress.on_attempt_begin(replace(begin, history=continued.history))
        continued.fit()

    failing(path, begin, resume)
    assert [row.epoch for row in read_record(path, LiveRecord).rows] == [1, 2, 3]


def test_what_cannot_be_written_disturbs_nothing(make_trainer, begin, tmp_path):
    def full(_):
        raise OSError("No space left on device")

    with live.live_record(tmp_path / "none" / ".progress.json", full) as progress:
        progress.on_attempt_begin(begin)
        assert make_trainer(epochs=1, callback=progress).fit().history


def test_many_epochs_are_thinned_but_for_the_best_and_the_last(make_trainer, begin, tmp_path):
    history = make_trainer(epochs=2).fit().history
    rows = tuple(
        type(history[0])(**{**_fields(history[0]), "epoch": n, "val_score": 0.1 if n == 777 else 1.0})
        for n in range(1, 1001)
    )
    shown = live._shown(rows)
    assert len(shown) == MOST_ROWS + 1
    assert {1, 777, 1000} <= {row.epoch for row in shown}


def _fields(row):
    return {name: getattr(row, name) for name in type(row).__dataclass_fields__ if not name.startswith("_")}
