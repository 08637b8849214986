"""Weights & Biases offline, by the files that it writes; in the tracker's own process, as in a training."""

import time

import pytest
from tests.tracking.conftest import row
from tests.tracking.wandb_file import first, history_of, read_records

from phase2.tracking.messages import End, Rows
from phase2.tracking.page import RunResult
from phase2.tracking.process import TrackerProcess


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")


def tracked(*messages):
    process = TrackerProcess("wandb")
    for message in messages:
        process.send(message)
    return process.wait(time.monotonic() + 200)


def attempts(tmp_path):
    """The records of each attempt; the service of W&B writes the last ones a moment after the end of a run."""
    files = sorted((tmp_path / "models" / "wandb").glob("offline-run-*/*.wandb"))
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = [read_records(file) for file in files]
        if all(any(record.WhichOneof("record_type") == "exit" for record in records) for records in found):
            return found
        time.sleep(0.2)
    return found


def test_a_page_has_settings_tags_epochs_errors_and_files(make_page, tmp_path):
    (tmp_path / "results.json").write_text("{}")
    result = RunResult(metrics={"final/test/mae/band_gap": 0.25}, best_epoch=2, files=[tmp_path / "results.json"])
    report = tracked(make_page(0), Rows((row(1), row(2))), result, End("finished"))
    assert report.complete, report.text
    ((folder),) = (tmp_path / "models" / "wandb").glob("offline-run-*")
    assert report.text == f"wandb sync {folder}"
    (records,) = attempts(tmp_path)
    run = first(records, "run")
    assert (run.run_id, run.project, run.display_name) == ("abc1", "phase2", "abc1")
    assert list(run.tags) == ["cgcnn", "smoke", "multitask_cgcnn"]
    config = {update.key: update.value_json for update in run.config.update}
    assert config["training.epochs"] == "5"
    assert config["phase2.data_fingerprint"] == f'"{"f" * 64}"'
    rows, steps = history_of(records)
    assert steps == [1, 2]
    assert rows[2]["val/score"] == pytest.approx(0.45)
    assert b"final/test/mae/band_gap" in b"".join(record.SerializeToString() for record in records)
    assert (folder / "files" / "results.json").exists()
    assert first(records, "exit").exit_code == 0


def test_a_resumed_run_continues_its_page_and_no_step_is_doubled(make_page, tmp_path):
    assert tracked(make_page(0), Rows((row(1), row(2), row(3))), End("stopped")).complete
    assert tracked(make_page(2), Rows((row(3), row(4))), End("finished")).complete
    before, after = attempts(tmp_path)
    assert first(before, "run").run_id == first(after, "run").run_id
    assert (history_of(before)[1], history_of(after)[1]) == ([1, 2, 3], [4])
    assert first(before, "exit").exit_code == 1


def test_a_wrong_key_is_reported_and_not_repeated(make_page, refusing_server, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_BASE_URL", refusing_server)
    monkeypatch.setenv("WANDB_API_KEY", key := "5ec4e7" + "a" * 34)
    report = tracked(make_page(1), End("finished"))
    assert not report.complete
    assert report.text
    assert key not in report.text
