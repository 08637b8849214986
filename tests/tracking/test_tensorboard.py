"""TensorBoard's files, as TensorBoard reads them."""

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tests.tracking.conftest import row

from phase2.tracking.backends.tensorboard import TensorBoardTracker
from phase2.tracking.page import RunResult


def read(folder):
    found = EventAccumulator(str(folder))
    found.Reload()
    return {tag: [(each.step, each.value) for each in found.Scalars(tag)] for tag in found.Tags()["scalars"]}, found


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "models" / "tensorboard" / "multitask_cgcnn" / "run_20260101T000000Z_abc1"


def test_a_page_has_settings_tags_epochs_and_errors(make_page, folder, tmp_path):
    tracker = TensorBoardTracker()
    where = tracker.open(make_page(0))
    tracker.log([row(1), row(2)])
    results = tmp_path / "results.json"
    results.write_text("{}")
    tracker.finish(RunResult(metrics={"final/test/mae/band_gap": 0.25}, best_epoch=2, files=[results, tmp_path / "no"]))
    tracker.close("finished")
    scalars, found = read(folder)
    assert where == f"tensorboard --logdir {folder.parent.parent}"
    assert scalars["val/mae/formation_energy"] == [(1, 1.0), (2, 0.5)]
    assert scalars["final/test/mae/band_gap"] == [(2, 0.25)]
    assert "val/mae/band_gap" not in scalars
    assert "_hparams_/session_start_info" in found.Tags()["tensors"]
    texts = {
        tag: found.Tensors(tag)[0].tensor_proto.string_val[0].decode()
        for tag in ("settings", "run", "result", "outcome")
    }
    assert "| training.epochs | 5 |" in texts["settings"]
    assert "f" * 64 in texts["run"]
    assert str(results) in texts["result"]
    assert "finished" in texts["outcome"]


def test_a_resumed_run_continues_its_page_and_no_step_is_doubled(make_page, folder):
    first = TensorBoardTracker()
    first.open(make_page(0))
    first.log([row(1), row(2), row(3)])
    first.close("failed")  # behind epoch 3, with a checkpoint of epoch 2
    again = TensorBoardTracker()
    again.open(make_page(2))
    again.log([row(3), row(4)])
    again.close("finished")
    scalars, _ = read(folder)
    assert [step for step, _ in scalars["val/score"]] == [1, 2, 3, 4]
    assert len(list(folder.glob("events*"))) == 1


def test_another_folder_can_be_named(make_page, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_TENSORBOARD_DIR", str(tmp_path / "boards"))
    tracker = TensorBoardTracker()
    tracker.open(make_page(1))
    tracker.close("finished")
    assert list((tmp_path / "boards" / "multitask_cgcnn").glob("run_*_abc1/events*"))
    assert not (tmp_path / "models").exists()
