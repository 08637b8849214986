"""Trainings with trackers: the same numbers as without, never stopped, never kept waiting."""

import json
import os
import signal
import subprocess
import sys

import pytest
from tests.tracking.test_mlflow import steps, the_run
from tests.tracking.test_process import wait_until
from tests.tracking.test_tensorboard import read
from tests.tracking.wandb_file import history_of, read_records

from phase2.cli import main
from phase2.config.settings import TRACK_VARIABLE
from phase2.runs.layout import RunDirectory
from phase2.testing.same_result import assert_same_result
from phase2.tracking.registry import check_trackers

SMALL = ["train", "--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--no-baselines"]
ALL = ["--track", "tensorboard", "--track", "mlflow", "--track", "wandb"]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    for name in (TRACK_VARIABLE, "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_MODE", "offline")


@pytest.fixture(scope="module")
def untracked(cached_graphs, tmp_path_factory):
    output = tmp_path_factory.mktemp("untracked")
    assert main([*SMALL, "--epochs", "3", "--output", str(output)]) == 0
    return only_run(output)


def epochs_on_page(client):
    """The epochs that the only page of the experiment has; none while there is no page."""
    experiment = client.get_experiment_by_name(os.environ["MLFLOW_EXPERIMENT_NAME"])
    found = client.search_runs([experiment.experiment_id]) if experiment else []
    return [step for run in found for step in steps(client, run)]


def only_run(output):
    (folder,) = output.glob("multitask_cgcnn/run_*")
    return RunDirectory(folder)


def test_all_trackers_at_once_change_no_number_of_the_run(untracked, mlflow_client, tmp_path, capsys):
    assert main([*SMALL, "--epochs", "3", "--output", str(tmp_path), *ALL]) == 0
    run = only_run(tmp_path)
    assert_same_result(run, untracked)
    history = json.loads(run.history.read_text())
    scores = [(row["epoch"], pytest.approx(row["val_score"])) for row in history]
    scalars, _ = read(next((tmp_path / "tensorboard").rglob("run_*")))
    assert scalars["val/score"] == scores
    page = the_run(mlflow_client, run.run_id)
    assert steps(mlflow_client, page) == [1, 2, 3]
    assert page.info.status == "FINISHED"
    test = json.loads(run.results.read_text())["test"]
    assert {row["key"]: page.data.metrics[f"final/test/mae/{row['key']}"] for row in test} == {
        row["key"]: row["mae"] for row in test
    }
    assert {file.path for file in mlflow_client.list_artifacts(page.info.run_id)} >= {"results.json", "MODEL_CARD.md"}
    (file,) = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    assert [(step, row["val/score"]) for step, row in history_of(read_records(file))[0].items()] == scores
    said = capsys.readouterr().err
    assert page.info.run_id in said
    assert "warning" not in said
    # Nothing of the trackers is a part of the run's record.
    for path in (run.run_config, run.manifest):
        text = path.read_text()
        assert not any(word in text for word in ("tensorboard", "mlflow", "wandb", "127.0.0.1"))


def test_a_server_that_is_gone_is_warned_about_once_and_the_run_finishes(untracked, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv(TRACK_VARIABLE, "mlflow")
    assert main([*SMALL, "--epochs", "3", "--output", str(tmp_path)]) == 0
    assert_same_result(only_run(tmp_path), untracked)
    said = [line for line in capsys.readouterr().err.splitlines() if "mlflow" in line]
    assert len(said) == 1
    assert f"phase2 runs export {only_run(tmp_path).run_id} --to mlflow" in said[0]


def test_a_server_that_hangs_costs_no_more_than_its_patience(untracked, hanging_server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", hanging_server)
    monkeypatch.setenv("PHASE2_TRACK_PATIENCE", "1")
    assert main([*SMALL, "--epochs", "3", "--output", str(tmp_path), "--track", "mlflow"]) == 0
    assert_same_result(only_run(tmp_path), untracked)
    assert "does not answer in time" in capsys.readouterr().err


def test_a_run_that_is_stopped_and_resumed_continues_its_pages(cached_graphs, mlflow_client, tmp_path, capsys):
    words = [*SMALL, "--max-samples", "400", "--epochs", "80", "--output", str(tmp_path), *ALL[:4]]
    process = subprocess.Popen([sys.executable, "-m", "phase2", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: list(tmp_path.glob("multitask_cgcnn/run_*/checkpoint.pt")))
    run = only_run(tmp_path)
    wait_until(lambda: len(epochs_on_page(mlflow_client)) > 1)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=100)[1].decode()
    assert process.returncode == 143, said
    assert the_run(mlflow_client, run.run_id).info.status == "KILLED"
    before = steps(mlflow_client, the_run(mlflow_client, run.run_id))
    assert main([*words, "--resume"]) == 0
    page = the_run(mlflow_client, run.run_id)  # one alone
    every = list(range(1, 81))
    assert 1 < len(before) < 80
    assert steps(mlflow_client, page) == steps(mlflow_client, page, "val/mae/band_gap") == every
    assert page.info.status == "FINISHED"
    scalars, _ = read(next((tmp_path / "tensorboard").rglob("run_*")))
    history = json.loads(run.history.read_text())
    assert scalars["val/score"] == [(row["epoch"], pytest.approx(row["val_score"])) for row in history]
    assert [step for step, _ in scalars["val/score"]] == every


def test_training_from_python_is_tracked(untracked, tmp_path):
    import phase2

    said: list[str] = []
    settings = {"algorithm": "cgcnn", "level": "smoke", "max_samples": 60, "epochs": 3, "output": tmp_path}
    run = phase2.train(**settings, baselines=False, progress=False, track=["tensorboard"], notify=said.append)
    assert_same_result(RunDirectory(run.directory), untracked)
    scalars, _ = read(next((tmp_path / "tensorboard").rglob("run_*")))
    assert [step for step, _ in scalars["val/score"]] == [1, 2, 3]
    assert [line for line in said if "tensorboard --logdir" in line]


def test_a_missing_extra_says_what_to_install_before_anything_begins(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "wandb", None)  # what an import of a package that is not there sees
    assert main([*SMALL, "--output", str(tmp_path / "models"), "--track", "wandb"]) == 2
    assert "pip install 'phase2[wandb]'" in capsys.readouterr().err
    assert not (tmp_path / "models").exists()


def test_other_mistakes_are_found_before_anything_begins(tmp_path, capsys):
    assert main([*SMALL, "--output", str(tmp_path / "models"), "--track", "mlfow"]) == 2
    assert "Did you mean 'mlflow'?" in capsys.readouterr().err
    assert main([*SMALL, "--output", str(tmp_path / "models"), "--track", "mlflow"]) == 2
    assert "MLFLOW_TRACKING_URI" in capsys.readouterr().err
    assert not (tmp_path / "models").exists()


def test_each_tracker_counts_once():
    assert check_trackers(["wandb", "tensorboard", "wandb"]) == ("tensorboard", "wandb")
