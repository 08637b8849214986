"""A run from request to sealed directory, stopped and continued."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from phase2.config.request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.resumption import ResumeRequest
from phase2.errors import DataError, ModelFileError, RequestError
from phase2.models.files.modelfile import load_model_file
from phase2.runs.attempts import Attempt
from phase2.runs.layout import RunDirectory
from phase2.runs.manifest import read_manifest
from phase2.runs.publish.reader import PublishedRun
from phase2.storage.records import read_rows
from phase2.storage.urls import open_store
from phase2.training.run.experiment import RunContext, train_run

RESUME = ResumeRequest(wanted=True)
FILES = {
    "best.pt", "checkpoint.pt", "history.json", "results.json", "run_manifest.json", "run_config.json", "attempts.json",
    "predictions_val.csv", "predictions_test.csv", "parity.png", "learning_curve.png", "HANDOFF.md", "MODEL_CARD.md",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASE2_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


def _request(output: Path, **words) -> RunRequest:
    usual: dict[str, Any] = {"algorithm": "cgcnn", "level": "smoke", "max_samples": 60, "epochs": 2, "output": output}
    return RunRequest(**(usual | words))


def _visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.fixture(scope="module")
def finished(cache, tmp_path_factory):
    return train_run(resolve(_request(tmp_path_factory.mktemp("models"))))


def test_a_run_leaves_every_file_and_nothing_else(finished):
    assert _visible(finished.directory.path) == FILES
    assert finished.directory.path.parent.name == "multitask_cgcnn"


def _verified(run):
    return PublishedRun.open(open_store(run.path.parent.parent), f"{run.family}/{run.name}").verify()


def test_the_manifest_lists_and_proves_every_other_file(finished):
    manifest = read_manifest(finished.directory.manifest)
    assert {a.path for a in manifest.artifacts} == FILES - {"run_manifest.json"}
    assert _verified(finished.directory).intact
    finished_model = finished.directory.best.read_bytes()
    try:
        finished.directory.best.write_bytes(finished_model[:-1])
        assert _verified(finished.directory).damaged == ("best.pt",)
    finally:
        finished.directory.best.write_bytes(finished_model)


def test_results_and_manifest_agree(finished):
    results = json.loads(finished.directory.results.read_text())
    manifest = json.loads(finished.directory.manifest.read_text())
    assert results["test"] == manifest["test"]
    assert [row["key"] for row in results["test"]] == list(finished.manifest.properties)


def test_the_model_needs_no_other_file(finished, tmp_path):
    alone = tmp_path / "model.pt"
    alone.write_bytes(finished.directory.best.read_bytes())
    assert [p.key for p in load_model_file(alone).properties] == list(finished.manifest.properties)


def test_a_request_that_cannot_be_carried_out_leaves_nothing(tmp_path):
    with pytest.raises(DataError):
        train_run(resolve(_request(tmp_path / "models", data=str(tmp_path / "nothing.json"))))
    assert not (tmp_path / "models").exists()


def test_there_is_nothing_to_resume_in_a_finished_run(finished):
    with pytest.raises(RequestError, match="no unfinished run of this request"):
        train_run(resolve(_request(finished.directory.path.parent.parent)), RESUME)


def test_resume_names_the_settings_that_differ(tmp_path):
    stopped = _kill_after_first_checkpoint(tmp_path, epochs=400)
    with pytest.raises(RequestError, match=r"training\.epochs: 400 -> 2"):
        train_run(resolve(_request(stopped.parent.parent)), RESUME)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_stopped_run_ends_where_an_undisturbed_one_ends(tmp_path, how):
    stopped = _kill_after_first_checkpoint(tmp_path, epochs=60, how=how)
    resumed = train_run(resolve(_request(tmp_path, epochs=60)), RESUME)
    whole = train_run(resolve(_request(tmp_path / "whole", epochs=60)))
    assert resumed.directory.path == stopped
    one, other = (load_model_file(run.directory.best).model.state_dict() for run in (resumed, whole))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert resumed.directory.predictions_test.read_bytes() == whole.directory.predictions_test.read_bytes()
    outcomes = [attempt.outcome for attempt in read_rows(stopped / "attempts.json", Attempt)]
    assert outcomes == ["killed" if how == signal.SIGKILL else "interrupted", "finished"]


def test_a_reader_that_goes_away_does_not_end_the_training(tmp_path):
    command = " ".join([sys.executable, "-m", "phase2", *_request(tmp_path).command()[1:], "| head -n 1"])
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 1
    (manifest,) = tmp_path.glob("multitask_cgcnn/run_*/run_manifest.json")
    assert read_manifest(manifest).status == "finished"


def test_a_broken_plotting_library_costs_the_pictures_alone(tmp_path):
    (tmp_path / "matplotlib.py").write_text("raise AttributeError('built for another numpy')")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "phase2", *_request(tmp_path / "models").command()[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "No figures" in done.stderr
    (run,) = (tmp_path / "models").glob("multitask_cgcnn/run_*")
    assert _visible(run) == FILES - {"parity.png", "learning_curve.png"}


def test_a_retried_process_continues_the_run_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_RUN_ID", "pod-7")
    first = train_run(resolve(_request(tmp_path)))
    assert first.directory.run_id == "pod-7"
    sealed = first.directory.manifest.read_bytes()
    again = train_run(resolve(_request(tmp_path)))
    assert again.directory == first.directory
    assert first.directory.manifest.read_bytes() == sealed
    with pytest.raises(RequestError, match="exists with other settings"):
        train_run(resolve(_request(tmp_path, lr=0.5)))


def test_a_run_that_another_process_finished_meanwhile_is_left_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_RUN_ID", "pod-8")
    resolved = resolve(_request(tmp_path))
    RunDirectory.create(tmp_path, resolved.config.family, run_id="pod-8")
    sealed = []

    @contextmanager
    def overtaken():  # between choosing the run and taking its lock
        sealed.append(train_run(resolved).directory.manifest.read_bytes())
        yield None

    late = train_run(resolved, surroundings=RunContext(data_progress=overtaken))
    assert late.directory.manifest.read_bytes() == sealed[0]


def test_a_damaged_checkpoint_is_refused(tmp_path):
    stopped = _kill_after_first_checkpoint(tmp_path, epochs=400)
    checkpoint = stopped / "checkpoint.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[: checkpoint.stat().st_size // 2])
    (stopped / ".checkpoint.previous.pt").unlink(missing_ok=True)
    with pytest.raises(ModelFileError):
        train_run(resolve(_request(tmp_path, epochs=400)), RESUME)


def _kill_after_first_checkpoint(output: Path, *, epochs: int, how: signal.Signals = signal.SIGKILL) -> Path:
    command = [sys.executable, "-m", "phase2", *_request(output, epochs=epochs).command()[1:]]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not (found := list(output.glob("multitask_cgcnn/run_*/checkpoint.pt"))):
            assert process.poll() is None, "the run ended before it was stopped"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(how)
        assert process.wait(60) == (143 if how == signal.SIGTERM else -how)
    finally:
        process.kill()
    return found[0].parent
