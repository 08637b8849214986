"""The list of runs, and the newest finished one."""

from datetime import timedelta

import pytest

from phase2.errors import ModelFileError
from phase2.runs.layout import RunDirectory
from phase2.runs.recorded_config import RecordedConfig
from phase2.runs.registry import list_runs, newest_best


def finish(output, manifest, name, *, after, family="multitask_cgcnn", status="finished", best=True):
    run = RunDirectory(output / family / name)
    run.path.mkdir(parents=True)
    if best:
        run.best.write_bytes(b"weights")
    last = manifest.attempts[-1]
    attempt = last.model_copy(update={"end": last.end + timedelta(minutes=after)})
    manifest.model_copy(update={"attempts": (attempt,), "family": family, "status": status}).seal(run)
    return run


def test_newest_best_is_the_run_that_finished_last(tmp_path, manifest):
    late = finish(tmp_path, manifest, "run_20260101T000000Z_aaaaaa", after=5)
    finish(tmp_path, manifest, "run_20260102T000000Z_bbbbbb", after=1, family="multitask_lite_e3nn")
    finish(tmp_path, manifest, "run_20260103T000000Z_cccccc", after=9, status="interrupted")
    finish(tmp_path, manifest, "run_20260104T000000Z_dddddd", after=9, best=False)
    assert newest_best(tmp_path) == late.best


def test_no_finished_run_says_how_to_get_one(tmp_path):
    for output in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ModelFileError, match="no finished run") as caught:
            newest_best(output)
        assert "phase2 train" in caught.value.fix


def test_every_status_is_told(tmp_path, manifest, resolved):
    finish(tmp_path, manifest, "run_20260101T000000Z_aaaaaa", after=1)
    finish(tmp_path, manifest, "run_20260102T000000Z_bbbbbb", after=1, status="failed")
    stopped, running = (RunDirectory.create(tmp_path, "multitask_cgcnn") for _ in range(2))
    for run in (stopped, running):
        RecordedConfig.record(run, resolved)
    with running.lock():
        found = {summary.run.path: summary for summary in list_runs(tmp_path)}
    assert sorted(summary.status for summary in found.values()) == ["failed", "finished", "running", "stopped"]
    assert found[running.path].status == "running"
    assert found[stopped.path].properties == resolved.config.properties
    assert found[stopped.path].algorithm == "cgcnn"


def test_runs_are_listed_newest_first(tmp_path, resolved):
    runs = [RunDirectory.create(tmp_path, "multitask_cgcnn") for _ in range(3)]
    for run in runs:
        RecordedConfig.record(run, resolved)
    assert [summary.run for summary in list_runs(tmp_path)] == runs[::-1]


def test_rubbish_is_passed_over(tmp_path, manifest):
    good = finish(tmp_path, manifest, "run_20260101T000000Z_aaaaaa", after=1)
    half = finish(tmp_path, manifest, "run_20260102T000000Z_bbbbbb", after=2)
    text = half.manifest.read_text()
    half.manifest.write_text(text[: len(text) // 2])
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path)
    (good.path.parent / "run_20260103T000000Z_x").write_bytes(b"\0")
    assert [summary.run for summary in list_runs(tmp_path)] == [good]
    assert newest_best(tmp_path) == good.best
