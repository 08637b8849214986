"""A run from request to sealed directory, stopped and continued."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from phase2.config.request.resume_request import ResumeRequest
from phase2.config.resolve import resolve
from phase2.data.crystals.elements import reduced_formula
from phase2.errors import DataError, ModelFileError, RequestError
from phase2.machine import memory
from phase2.models.files.modelfile import load_model_file
from phase2.properties import get_property
from phase2.runs.layout import RunDirectory
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.records.attempts import Attempt
from phase2.runs.records.crystals import RunCrystals
from phase2.runs.records.manifest import read_manifest
from phase2.runs.records.predictions import parse_predictions
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.remote.state import RemoteRun
from phase2.storage.folder import LocalStore
from phase2.storage.records import read_record, read_rows
from phase2.storage.urls import open_store
from phase2.training.callbacks.base import Callback
from phase2.training.run.experiment import RunContext, train_run

RESUME = ResumeRequest(wanted=True)
FILES = {
    "best.pt", "checkpoint.pt", "history.json", "results.json", "run_manifest.json", "run_config.json", "attempts.json",
    "predictions_val.csv", "predictions_test.csv", "parity.png", "learning_curve.png", "calibration.png", "HANDOFF.md",
    "MODEL_CARD.md", "crystals.json", "report.html",
}  # fmt: skip


@pytest.fixture
def stop_after_checkpoint(request_in, stopped_run):
    """Train in another process, and stop it when it has a checkpoint; returns the run directory."""

    def stop(output: Path, *, epochs: int, how: signal.Signals = signal.SIGKILL) -> Path:
        request = request_in(output, epochs=epochs)
        return stopped_run(request, "multitask_cgcnn/run_*/checkpoint.pt", root=output, how=how).parent

    return stop


def _visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.fixture(scope="module")
def finished(cache, tmp_path_factory, request_in):
    return train_run(resolve(request_in(tmp_path_factory.mktemp("models"))))


@pytest.mark.slow
def test_the_manifest_names_the_precision(finished, request_in, tmp_path):
    half = train_run(resolve(request_in(tmp_path, epochs=1, precision="bf16")), context=RunContext(device="cpu"))
    assert half.manifest.config.training.precision == "bf16"
    assert finished.manifest.config.training.precision == "fp32"


def test_a_run_leaves_every_file_and_nothing_else(finished):
    assert _visible(finished.directory.path) == FILES
    assert finished.directory.path.parent.name == "multitask_cgcnn"


def test_the_recorded_crystals_are_those_of_the_test_part(finished):
    run = finished.directory
    crystals = read_record(run.crystals, RunCrystals)
    part = parse_predictions(
        run.predictions_test.read_text(), tuple(map(get_property, finished.manifest.properties)), where=""
    )
    error = np.abs(part.predicted - part.reference)
    assert len(crystals.atoms) == len(crystals.space_groups) == len(crystals.distances) == len(part.ids) > 0
    drawn = {structure.id: structure for structure in crystals.structures}
    assert all(part.ids[row] in drawn for row in np.nanargmax(error, axis=0))
    for row, name in enumerate(part.ids):
        if name in drawn:
            assert len(drawn[name].species) == len(drawn[name].positions) == crystals.atoms[row]
            assert reduced_formula(drawn[name].species) == part.formulas[row]
    for key, counts in finished.manifest.data.labels["train"].items():
        assert sum(crystals.labels[key].train) == counts


def test_the_report_is_whole(finished):
    text = finished.directory.report.read_text()
    assert finished.manifest.run_id in text
    assert "crystals.json is missing" not in text


def test_a_report_that_fails_costs_no_run(tmp_path, request_in, monkeypatch):
    def fails(_):
        raise ZeroDivisionError("in a template")

    monkeypatch.setattr("phase2.runs.report.html.page.report", fails)
    said: list[str] = []
    done = train_run(resolve(request_in(tmp_path)), context=RunContext(notify=said.append))
    assert read_manifest(done.directory.manifest).status == "finished"
    assert [line for line in said if line.startswith("No report: ZeroDivisionError")]
    assert _visible(done.directory.path) == FILES - {"report.html"}


def test_a_symmetry_that_fails_costs_no_run(tmp_path, request_in, monkeypatch):
    def fails(*_):
        raise RuntimeError("in another library")

    monkeypatch.setattr("phase2.training.run.crystals.space_group", fails)
    said: list[str] = []
    done = train_run(resolve(request_in(tmp_path)), context=RunContext(notify=said.append))
    assert [line for line in said if line.startswith("No crystals.json: RuntimeError")]
    assert _visible(done.directory.path) == FILES - {"crystals.json"}
    assert "crystals.json is missing" in done.directory.report.read_text()


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


def test_a_request_that_cannot_be_carried_out_leaves_nothing(tmp_path, request_in):
    with pytest.raises(DataError):
        train_run(resolve(request_in(tmp_path / "models", data=str(tmp_path / "nothing.json"))))
    assert not (tmp_path / "models").exists()


def test_there_is_nothing_to_resume_in_a_finished_run(finished, request_in):
    with pytest.raises(RequestError, match="no unfinished run of this request"):
        train_run(resolve(request_in(finished.directory.path.parent.parent)), RESUME)


def test_resume_lists_the_settings_that_differ(tmp_path, request_in, stop_after_checkpoint):
    stopped = stop_after_checkpoint(tmp_path, epochs=400)
    with pytest.raises(RequestError, match=r"training\.epochs: 400 -> 2"):
        train_run(resolve(request_in(stopped.parent.parent)), RESUME)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_stopped_run_ends_where_an_uninterrupted_one_ends(tmp_path, how, request_in, stop_after_checkpoint):
    stopped = stop_after_checkpoint(tmp_path, epochs=60, how=how)
    resumed = train_run(resolve(request_in(tmp_path, epochs=60)), RESUME)
    whole = train_run(resolve(request_in(tmp_path / "whole", epochs=60)))
    assert resumed.directory.path == stopped
    one, other = (load_model_file(run.directory.best).model.state_dict() for run in (resumed, whole))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert resumed.directory.predictions_test.read_bytes() == whole.directory.predictions_test.read_bytes()
    outcomes = [attempt.outcome for attempt in read_rows(stopped / "attempts.json", Attempt)]
    assert outcomes == ["killed" if how == signal.SIGKILL else "interrupted", "finished"]


def test_a_closed_pipe_does_not_end_the_training(tmp_path, request_in):
    command = shlex.join([sys.executable, "-m", "phase2", *request_in(tmp_path).command()[1:]]) + " | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 1
    (manifest,) = tmp_path.glob("multitask_cgcnn/run_*/run_manifest.json")
    assert read_manifest(manifest).status == "finished"


def test_a_broken_plotting_library_costs_only_the_figures(tmp_path, request_in):
    (tmp_path / "matplotlib.py").write_text("raise AttributeError('built for another numpy')")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "phase2", *request_in(tmp_path / "models").command()[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "No figures" in done.stderr
    (run,) = (tmp_path / "models").glob("multitask_cgcnn/run_*")
    assert _visible(run) == FILES - {"parity.png", "learning_curve.png", "calibration.png"}


def test_a_retried_process_continues_the_run_of_its_id(tmp_path, monkeypatch, request_in):
    monkeypatch.setenv("PHASE2_RUN_ID", "pod-7")
    first = train_run(resolve(request_in(tmp_path)))
    assert first.directory.run_id == "pod-7"
    sealed = first.directory.manifest.read_bytes()
    again = train_run(resolve(request_in(tmp_path)))
    assert again.directory == first.directory
    assert first.directory.manifest.read_bytes() == sealed
    with pytest.raises(RequestError, match="exists with other settings"):
        train_run(resolve(request_in(tmp_path, lr=0.5)))


def test_a_run_that_another_process_finished_meanwhile_is_left_as_it_is(tmp_path, monkeypatch, request_in):
    monkeypatch.setenv("PHASE2_RUN_ID", "pod-8")
    resolved = resolve(request_in(tmp_path))
    RunDirectory.create(tmp_path, resolved.config.family, run_id="pod-8")
    sealed = []

    class Overtaken(Callback):
        def on_data_end(self):  # between choosing the run and taking its lock
            sealed.append(train_run(resolved).directory.manifest.read_bytes())

    late = train_run(resolved, context=RunContext(callback=Overtaken()))
    assert late.directory.manifest.read_bytes() == sealed[0]


def test_a_run_that_another_process_finished_meanwhile_with_other_settings_is_refused(
    tmp_path, monkeypatch, request_in
):
    monkeypatch.setenv("PHASE2_RUN_ID", "pod-9")
    resolved = resolve(request_in(tmp_path))
    RunDirectory.create(tmp_path, resolved.config.family, run_id="pod-9")

    class Overtaken(Callback):
        def on_data_end(self):
            train_run(resolve(request_in(tmp_path, lr=0.002)))

    with pytest.raises(RequestError, match=r"exists with other settings.*training\.lr: 0\.002 -> "):
        train_run(resolved, context=RunContext(callback=Overtaken()))


def test_a_run_that_another_machine_started_meanwhile_with_other_settings_is_refused(tmp_path, monkeypatch, request_in):
    monkeypatch.setenv("PHASE2_RUN_ID", "pod-10")
    store = LocalStore(tmp_path / "store")

    class Overtaken(Callback):
        def on_data_end(self):
            other = resolve(request_in(tmp_path / "elsewhere", lr=0.5))
            run = RunDirectory.create(tmp_path / "elsewhere", other.config.family, run_id="pod-10")
            RecordedConfig.record(run, other)
            RemoteRun.claim(store, run).announce(run)

    with pytest.raises(RequestError, match=r"exists with other settings.*training\.lr: 0\.5 -> "):
        train_run(resolve(request_in(tmp_path / "here")), context=RunContext(store=store, callback=Overtaken()))
    assert not list(tmp_path.glob("here/*/*/checkpoint.pt"))


def test_the_memory_limit_is_checked_for_every_caller(tmp_path, monkeypatch, request_in):
    monkeypatch.setattr(memory, "memory_limit", lambda: 100 << 20)
    monkeypatch.setattr(memory, "_GPU", tmp_path / "no gpu")
    with pytest.raises(RequestError, match="memory limit of 100 MiB"):
        train_run(resolve(request_in(tmp_path / "models")))
    assert not (tmp_path / "models").exists()


def test_the_memory_limit_is_not_checked_twice_for_the_same_configuration(tmp_path, monkeypatch, request_in):
    resolved = resolve(request_in(tmp_path, epochs=1))
    said: list[str] = []
    limit = int(0.9 * memory.needed_memory(resolved.config, workers=1))
    monkeypatch.setattr(memory, "memory_limit", lambda: limit)
    monkeypatch.setattr(memory, "_GPU", tmp_path / "no gpu")
    train_run(resolved, context=RunContext(workers=1, notify=said.append, memory_checked_for=resolved.config))
    assert not [line for line in said if "memory limit" in line]
    monkeypatch.setenv("PHASE2_RUN_ID", "again")
    train_run(resolved, context=RunContext(workers=1, notify=said.append))
    assert len([line for line in said if "memory limit" in line]) == 1


def test_a_damaged_checkpoint_is_refused(tmp_path, request_in, stop_after_checkpoint):
    stopped = stop_after_checkpoint(tmp_path, epochs=400)
    checkpoint = stopped / "checkpoint.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[: checkpoint.stat().st_size // 2])
    (stopped / ".checkpoint.previous.pt").unlink(missing_ok=True)
    with pytest.raises(ModelFileError):
        train_run(resolve(request_in(tmp_path, epochs=400)), RESUME)
