"""Gradient boosting at the end of a run: recorded, cached, left out, and interrupted."""

import json

import pytest

from phase2.cli import main
from phase2.config.request.resume_request import ResumeRequest
from phase2.config.resolve import resolve
from phase2.errors import PreemptedError
from phase2.runs.records.attempts import Attempt
from phase2.runs.records.manifest import read_manifest
from phase2.storage.records import read_rows
from phase2.testing.same_result import assert_same_result
from phase2.training.interruption import StopRequest
from phase2.training.run.experiment import RunContext, train_run

FITTING = "fitting gradient boosting"


@pytest.fixture(scope="module")
def train(request_in):
    """Train 120 crystals for an epoch into a folder; returns the run and the lines for the user."""

    def run(output, resumption=None, *, seed=None, **context):
        lines: list[str] = []
        request = request_in(output, max_samples=120, epochs=1, seed=seed)
        finished = train_run(
            resolve(request), resumption or ResumeRequest(), RunContext(**({"notify": lines.append} | context))
        )
        return finished, lines

    return run


@pytest.fixture(scope="module")
def finished(train, cache, tmp_path_factory):
    run, lines = train(tmp_path_factory.mktemp("models"))
    assert any(line.startswith(FITTING) for line in lines)
    return run


def test_results_manifest_and_hand_off_have_them(finished):
    results = json.loads(finished.directory.results.read_text())["baselines"]
    manifest = read_manifest(finished.directory.manifest)
    assert results == [baseline.model_dump() for baseline in manifest.baselines]
    assert [row["key"] for row in results] == list(manifest.properties)
    for baseline, on_val in zip(manifest.baselines, manifest.val, strict=True):
        assert baseline.median_val_mae == pytest.approx(on_val.baseline_mae)
        assert baseline.boosting_val_mae is not None
        assert 0 < baseline.boosting_val_mae != on_val.mae
    assert "gradient boosting" in finished.directory.handoff.read_text()
    assert "gradient boosting" in finished.directory.model_card.read_text()


@pytest.mark.parametrize("seed", [None, 7])
def test_the_next_run_on_the_same_data_takes_them_from_the_cache(finished, train, tmp_path, seed):
    """Also one of another seed: the seeds of an ensemble share them."""
    again, lines = train(tmp_path, seed=seed)
    assert again.manifest.baselines == finished.manifest.baselines
    assert (again.manifest.score == finished.manifest.score) == (seed is None)
    assert not any(line.startswith(FITTING) for line in lines)


def test_they_can_be_left_out_and_change_no_number_of_the_network(finished, train, tmp_path):
    without, _ = train(tmp_path, with_baselines=False)
    assert without.manifest.baselines == ()
    assert without.manifest.score == finished.manifest.score
    assert "boosting" not in without.directory.handoff.read_text()
    assert_same_result(without.directory, finished.directory)


def test_a_stop_while_they_are_fitted_leaves_a_run_that_resumes_to_the_same_end(finished, train, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_CACHE_DIR", str(tmp_path / "cache"))  # else there is nothing to fit
    stop = StopRequest()

    def interrupt(line):
        if line.startswith(FITTING):
            stop.request("SIGTERM")

    with pytest.raises(PreemptedError):
        train(tmp_path / "models", stop=stop, notify=interrupt)
    (run,) = (tmp_path / "models").glob("multitask_cgcnn/run_*")
    assert not (run / "run_manifest.json").exists()
    resumed, _ = train(tmp_path / "models", ResumeRequest(wanted=True))
    assert resumed.directory.path == run
    assert [attempt.outcome for attempt in read_rows(run / "attempts.json", Attempt)] == ["interrupted", "finished"]
    assert resumed.manifest.baselines == finished.manifest.baselines
    assert_same_result(resumed.directory, finished.directory)


@pytest.mark.parametrize(("options", "variable"), [(["--no-baselines"], ""), ([], "false")])
def test_the_command_line_leaves_them_out(request_in, tmp_path, monkeypatch, options, variable):
    monkeypatch.setenv("PHASE2_BASELINES", variable)
    request = request_in(tmp_path, epochs=1)
    assert main([*request.command()[1:], *options]) == 0
    (manifest,) = tmp_path.glob("multitask_cgcnn/run_*/run_manifest.json")
    assert read_manifest(manifest).baselines == ()


def test_an_empty_variable_leaves_the_default(request_in, tmp_path, monkeypatch):
    """As a workflow fills it in."""
    monkeypatch.setenv("PHASE2_BASELINES", "")
    request = request_in(tmp_path, epochs=1, max_samples=120)
    assert main(request.command()[1:]) == 0
    (manifest,) = tmp_path.glob("multitask_cgcnn/run_*/run_manifest.json")
    assert read_manifest(manifest).baselines
