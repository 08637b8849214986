"""A whole study in this process: pruned, failed and finished trials, and what they leave."""

import time
from datetime import timedelta

import pytest

from phase2.config.assignments import parse_setting
from phase2.config.combine import combine
from phase2.config.resolve import resolve
from phase2.config.run_file.reader import RunFile
from phase2.errors import DataError, PreemptedError, RequestError
from phase2.runs.catalog.index import list_runs
from phase2.runs.catalog.unfinished import UnfinishedRun
from phase2.runs.publish.reader import PublishedRun
from phase2.storage.folder import LocalStore
from phase2.training.callbacks.base import Callback
from phase2.training.interruption import StopRequest
from phase2.training.run.experiment import RunContext, train_run
from phase2.tuning import worker, workers
from phase2.tuning.claims import Claims
from phase2.tuning.result import best_file, best_trial, study_facts, trial_rows
from phase2.tuning.study import Study
from phase2.tuning.worker import StudyWorker, WorkOrder
from phase2.tuning.workers import Worker

DIVERGING = (parse_setting("training.weight_decay=1000"),)
"""Each step multiplies the weights by 1 - 1000 times the rate."""


@pytest.fixture
def work(tmp_path, store):
    """Work on a study in this process; returns it."""

    def run(definition, *, trials=None, callback=None, stop=None, deadline=float("inf"), stored=True):
        kept = store if stored else LocalStore(tmp_path / "models")
        study = Study(kept, definition.save(kept))
        order = WorkOrder(trials=trials or definition.trials, output=tmp_path / "models", deadline=deadline)
        context = RunContext(
            store=store if stored else None, callback=callback or Callback(), stop=stop or StopRequest()
        )
        StudyWorker(study, kept, order, context).work()
        return study

    return run


class Stops(Callback):
    """Requests a stop at a number of steps, counted over all trials."""

    def __init__(self, stop, after):
        self.stop, self.left = stop, after

    def on_step_end(self, event):
        self.left -= 1
        if self.left == 0:
            self.stop.request("SIGTERM")


@pytest.mark.slow
def test_a_study_with_pruned_trials(work, define, store, tmp_path):
    definition = define(over=("training.lr=1e-6..1e-1:log",), trials=8, epochs=6)
    study = work(definition)
    trials = study.trials()
    states = [trial.state for trial in trials]
    assert len(trials) == 8
    assert {"complete", "pruned"} == set(states)

    runs = {run.run_id: run for run in list_runs(store)}
    assert set(runs) == {f"size-{number}" for number in range(8)}
    for trial in trials:
        run = runs[trial.run_id]
        assert run.status == ("finished" if trial.state == "complete" else "pruned")
        if trial.state == "complete":
            assert (run.score, run.epochs) == (trial.score, trial.epochs)
            continue
        assert run.state == f"pruned at epoch {trial.epochs}"
        left = UnfinishedRun.read(store, run)  # it looks finished to nobody, and could be continued
        assert left.checkpoint.epoch == trial.epochs < 6
        assert [attempt.outcome for attempt in left.attempts] == ["interrupted"]
        assert "the study 'size', which pruned it" in left.attempts[0].reason

    best = best_trial(trials)
    assert best.score == min(run.score for run in runs.values() if run.score is not None)
    (tmp_path / "best.yaml").write_text(best_file(definition, trials))
    request = combine({"output": tmp_path / "again"}, file=RunFile.read(tmp_path / "best.yaml"))
    assert train_run(resolve(request)).manifest.score == best.score


@pytest.mark.slow
def test_an_interrupted_study_ends_as_one_that_was_not(work, define, store, tmp_path):
    whole = Study(LocalStore(tmp_path / "whole"), define(trials=3))
    order = WorkOrder(trials=3, output=tmp_path / "whole")
    StudyWorker(whole, LocalStore(tmp_path / "whole"), order, RunContext()).work()

    for after in (1, 3, 2):  # in the middle of an epoch, at its end, and after a trial
        stop = StopRequest()
        with pytest.raises(PreemptedError):
            work(define(trials=3), stop=stop, callback=Stops(stop, after))
    study = work(define(trials=3))
    assert study_facts(study.definition, study.trials()) == study_facts(whole.definition, whole.trials())
    assert any(len(run.attempts) > 1 for run in _manifests(store))


def _manifests(store):
    return [PublishedRun.open(store, run.prefix).manifest for run in list_runs(store) if run.status == "finished"]


@pytest.mark.slow
def test_a_property_is_minimised(work, define, store):
    study = work(define(minimise="band_gap", trials=2, pruner="none"))
    maes = {run.run_id: run.val_mae["band_gap"] for run in list_runs(store)}
    assert {trial.run_id: trial.score for trial in study.trials()} == maes
    columns, rows = trial_rows(study.definition, study.trials())
    assert "val MAE of band_gap" in columns
    assert sum(row[-1].endswith("(best)") for row in rows) == 1


@pytest.mark.slow
def test_trials_that_diverge_fail_and_the_study_goes_on(work, define):
    over = ("training.lr=0.001,1000",)
    study = work(define(over=over, trials=4, pruner="none", settings=DIVERGING))
    assert {trial.values["training.lr"]: trial.state for trial in study.trials()} == {0.001: "complete", 1000: "failed"}
    assert all("diverged" in trial.reason for trial in study.trials() if trial.state == "failed")


@pytest.mark.slow
def test_a_study_in_which_all_trials_fail_ends_with_their_error(work, define):
    with pytest.raises(RequestError, match="diverged"):
        work(define(over=("training.lr=999,1000",), trials=9, pruner="none", settings=DIVERGING))


@pytest.mark.slow
def test_the_end_of_the_time_leaves_the_trial_to_the_next_call(work, define):
    class Slow(Callback):
        def on_step_end(self, event):
            time.sleep(0.3)

    definition = define(trials=2)
    study = work(definition, callback=Slow(), deadline=time.monotonic() + 1.0, stored=False)
    assert [trial.state for trial in study.trials()] == ["running"]
    study = work(definition, stored=False)
    assert [trial.state for trial in study.trials()] == ["complete", "complete"]


@pytest.fixture
def one_of_several(define, store, tmp_path, monkeypatch):
    """Work as one of several workers on a study with a single trial, which another holds; returns the study."""
    monkeypatch.setattr(workers, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.05)
    study = Study(store, define(trials=1).save(store))

    def run(other):
        assert Claims(store, "size", other).take(0)
        order = WorkOrder(trials=1, output=tmp_path / "models", waits=False)
        StudyWorker(study, store, order, RunContext(store=store)).work()
        return study

    return run


def test_one_of_several_ends_when_the_others_were_heard_again(one_of_several, store):
    other, beats = Worker(store, "size"), []
    with other.registered(lambda: beats.append(True)):
        assert one_of_several(other).trials() == []
    assert beats


@pytest.mark.slow
def test_one_of_several_waits_for_the_trial_of_one_that_is_silent(one_of_several, store, monkeypatch):
    """Its machine is another one, and was lost a moment ago."""
    monkeypatch.setattr(workers, "SILENCE", timedelta(seconds=2))
    other = Worker(store, "size")
    store.put(f".studies/size/workers/{other.worker_id}.json", b'{"host": "elsewhere", "lock": "elsewhere"}')
    assert [trial.state for trial in one_of_several(other).trials()] == ["complete"]


@pytest.mark.slow
def test_other_data_under_the_same_name_are_refused(work, define):
    study = work(define(trials=1))
    study._study.set_user_attr("data", "something else")
    with pytest.raises(DataError, match="measured on other data"):
        work(define(trials=1), trials=2)


@pytest.mark.slow
def test_more_trials_are_added_to_a_study_that_is_over(work, define):
    assert len(work(define(trials=1)).trials()) == 1
    assert [trial.state for trial in work(define(trials=1), trials=2).trials()] == ["complete", "complete"]
