"""``phase2 runs export``: pages of finished runs, made afterwards."""

import json
import shutil

import pytest
from tests.tracking.test_mlflow import steps, the_run
from tests.tracking.test_tensorboard import read

from phase2.cli import main
from phase2.runs.layout import RunDirectory
from phase2.runs.records.manifest import read_manifest

SMALL = ["train", "--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--epochs", "2", "--no-baselines"]


@pytest.fixture(scope="module")
def models(cached_graphs, tmp_path_factory):
    output = tmp_path_factory.mktemp("models")
    assert main([*SMALL, "--output", str(output)]) == 0
    return output


@pytest.fixture
def run(models):
    return RunDirectory(next(models.glob("multitask_cgcnn/run_*")))


def test_exporting_twice_updates_the_page_and_doubles_nothing(models, run, mlflow_client, capsys):
    for _ in range(2):
        assert main(["runs", "export", run.run_id, "--to", "mlflow", "--store", str(models)]) == 0
    page = the_run(mlflow_client, run.run_id)  # one alone
    assert page.info.run_id in capsys.readouterr().out
    assert page.info.status == "FINISHED"
    assert steps(mlflow_client, page) == [1, 2]
    manifest = read_manifest(run.manifest)
    for part in ("val", "test"):
        for found in getattr(manifest, part):
            name = f"final/{part}/mae/{found.key}"
            assert page.data.metrics[name] == found.mae
            assert steps(mlflow_client, page, name) == [manifest.best_epoch]
    start, end = manifest.attempts[0].start.timestamp(), manifest.attempts[-1].end.timestamp()
    assert page.info.start_time == pytest.approx(1000 * start, abs=1)
    assert page.info.end_time == pytest.approx(1000 * end, abs=1)
    names = {each.path for each in mlflow_client.list_artifacts(page.info.run_id)}
    assert names >= {"MODEL_CARD.md", "report.html", "results.json", "run_manifest.json"}


def test_a_page_that_a_training_began_is_completed(models, run, mlflow_client, make_page):
    from phase2.tracking.backends.mlflow import MlflowTracker

    MlflowTracker().open(make_page(1, run_id=run.run_id))
    assert main(["runs", "export", "latest", "--to", "mlflow", "--store", str(models)]) == 0
    assert sorted(steps(mlflow_client, the_run(mlflow_client, run.run_id))) == [1, 2]  # the server sorts by time


def test_a_run_in_a_bucket_is_exported_with_its_address(
    models, run, mlflow_client, seaweedfs, new_store, tmp_path, monkeypatch
):
    store = new_store(seaweedfs)
    monkeypatch.chdir(tmp_path)
    assert main(["runs", "publish", str(run.path), "--store", store.url]) == 0
    words = ["runs", "export", run.run_id, "--to", "mlflow", "--to", "tensorboard", "--store", store.url]
    assert main(words) == 0
    page = the_run(mlflow_client, run.run_id)
    assert page.data.tags["phase2.store"] == f"{store.url}/multitask_cgcnn/{run.name}"
    names = {each.path for each in mlflow_client.list_artifacts(page.info.run_id)}
    assert names >= {"MODEL_CARD.md", "report.html", "results.json", "run_manifest.json"}
    scalars, _ = read(tmp_path / "models" / "tensorboard" / "multitask_cgcnn" / run.name)
    history = json.loads(run.history.read_text())
    assert scalars["val/score"] == [(row["epoch"], pytest.approx(row["val_score"])) for row in history]


def test_an_unfinished_run_and_a_server_that_is_gone_are_refused(models, run, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert main(["runs", "export", run.run_id, "--to", "mlflow", "--store", str(models)]) == 75
    assert "not complete" in capsys.readouterr().err
    begun = tmp_path / "multitask_cgcnn" / run.name
    shutil.copytree(run.path, begun, ignore=shutil.ignore_patterns("run_manifest.json"))
    assert main(["runs", "export", run.run_id, "--to", "mlflow", "--store", str(tmp_path)]) == 2
