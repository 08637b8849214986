"""``phase2 tune``: what it prints, writes and refuses."""

import json
import shutil
import sys

import pytest

from phase2.config.run_file.reader import RunFile
from phase2.runs.records.manifest import read_manifest

WORDS = ("--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--epochs", "2")
OVER = ("--over", "training.lr=1e-3..1e-2:log")


@pytest.fixture(scope="module")
def studied(cache, tmp_path_factory):
    """Folder of a small study, and its best configuration."""
    from phase2.cli import main

    folder = tmp_path_factory.mktemp("studied")
    words = (*WORDS, *OVER, "--trials", "2", "--name", "rate", "--output", str(folder / "models"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PHASE2_STORE", raising=False)
        assert main(["tune", *words, "--best", str(folder / "best.yaml")]) == 0
    return folder


@pytest.mark.slow
def test_show_prints_the_study_and_writes_the_best(say, studied):
    code, out, err = say("tune", "show", "rate", "--store", studied / "models", "--json")
    assert code == 0, err
    assert [trial["state"] for trial in out["trials"]] == ["complete", "complete"]
    assert "test" not in json.dumps(out)
    code, table, err = say("tune", "show", "rate", "--store", studied / "models", "--best", studied / "again.yaml")
    assert code == 0, err
    assert "training.lr" in table
    assert "complete (best)" in table
    assert (studied / "again.yaml").read_text() == (studied / "best.yaml").read_text()
    assert RunFile.read(studied / "best.yaml").options == {"algorithm": "cgcnn", "level": "smoke"}


@pytest.mark.slow
def test_the_best_configuration_explains_itself_and_trains(say, studied, tmp_path):
    code, shown, err = say("explain", "--config", studied / "best.yaml", "--json")
    assert code == 0, err
    best = say("tune", "show", "rate", "--store", studied / "models", "--json")[1]["best"]
    assert shown["config"]["training"]["lr"] == best["values"]["training.lr"]
    assert say("train", "--config", studied / "best.yaml", "--output", tmp_path)[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize("how", ["by default", "option", "variable"])
def test_trials_are_compared_with_gradient_boosting_when_that_is_asked_for(say, studied, tmp_path, monkeypatch, how):
    if how == "variable":
        monkeypatch.setenv("PHASE2_BASELINES", "true")
    words = ("tune", *WORDS, *OVER, "--trials", "1", "--name", "compared", "--output", tmp_path)
    code, _, err = say(*words, *(["--baselines"] if how == "option" else []), "--best", tmp_path / "best.yaml")
    assert code == 0, err
    (manifest,) = tmp_path.glob("multitask_cgcnn/run_*/run_manifest.json")
    assert bool(read_manifest(manifest).baselines) == (how != "by default")


@pytest.mark.slow
def test_a_study_is_hidden_from_lists_of_runs(say, studied):
    code, runs, _ = say("runs", "list", "--store", studied / "models", "--json")
    assert code == 0
    assert {run["run_id"] for run in runs} == {"rate-0", "rate-1"}
    for run in runs:
        assert say("runs", "verify", run["run_id"], "--store", studied / "models")[0] == 0


@pytest.mark.slow
def test_the_name_alone_continues_a_study_and_other_settings_do_not(say, studied):
    words = ("tune", "--name", "rate", "--output", studied / "models", "--best", studied / "best.yaml", "--json")
    code, out, err = say(*words)
    assert code == 0, err
    assert len(out["trials"]) == 2
    code, _, err = say(*words, "--epochs", "3", *OVER)
    assert code == 2
    assert "exists with another definition" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((*WORDS,), "There is nothing to search"),
        ((*WORDS, "--over", "training.lrr=1..2"), "Did you mean 'training.lr'?"),
        ((*WORDS, "--lr", "1e-3", *OVER), "--lr and --over training.lr give one setting"),
        ((*WORDS, *OVER, "--trials", "0"), "--trials 0 is not a positive number"),
        ((*WORDS, *OVER, "--timeout-hours", "0"), "--timeout-hours 0.0 is not a positive number"),
        ((*WORDS, *OVER, "--pruner", "hyperbend"), "Did you mean 'hyperband'?"),
        (("show", "nothing"), "There is no study 'nothing'"),
        (("--name", "nothing"), "There is no study 'nothing'"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_starts(say, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PHASE2_STORE", raising=False)
    code, _, err = say("tune", *words)
    assert code == 2
    assert says in err
    assert list(tmp_path.iterdir()) == []


def test_a_worker_works_for_nobody_without_a_store(say, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PHASE2_STORE", raising=False)
    code, _, err = say("tune", *WORDS, *OVER, "--worker")
    assert (code, "--worker needs a store" in err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_without_optuna_the_extra_is_named_and_no_study_is_left(say, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.delitem(sys.modules, "phase2.tuning.study", raising=False)
    code, _, err = say("tune", *WORDS, *OVER, "--name", "rate", "--output", tmp_path / "models")
    assert code == 2
    assert "pip install 'phase2[tune]'" in err
    assert not list(tmp_path.rglob("study.json"))


@pytest.mark.slow
def test_a_study_is_deleted_with_its_runs_or_without(say, studied, tmp_path):
    for options, left in (([], 2), (["--runs"], 0)):
        store = tmp_path / f"models{left}"
        shutil.copytree(studied / "models", store)
        assert say("tune", "delete", "rate", *options, "--store", store)[0] == 2  # nobody is there to be asked
        code, out, err = say("tune", "delete", "rate", *options, "--yes", "--store", store)
        assert (code, "removed the study rate" in out, "'phase2 runs delete'" in err) == (0, True, left > 0), err
        assert len(say("runs", "list", "--store", store, "--json")[1]) == left
        assert say("tune", "show", "rate", "--store", store)[0] == 2
