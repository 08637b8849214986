"""Pages on a real MLflow server."""

import os
from datetime import UTC, datetime

from tests.tracking.conftest import row

from phase2.tracking.backends.mlflow import MlflowTracker
from phase2.tracking.page import RunResult


def the_run(client, run_id="abc1"):
    experiment = client.get_experiment_by_name(os.environ["MLFLOW_EXPERIMENT_NAME"]).experiment_id
    (found,) = client.search_runs([experiment], f"tags.`phase2.run_id` = '{run_id}'")
    return found


def steps(client, run, key="val/score"):
    return [metric.step for metric in client.get_metric_history(run.info.run_id, key)]


def test_a_page_has_settings_tags_epochs_errors_and_files(mlflow_client, make_page, tmp_path):
    tracker = MlflowTracker()
    where = tracker.open(make_page(0))
    tracker.log([row(1), row(2)])
    (tmp_path / "report.html").write_text("<p>")
    files = [tmp_path / "report.html", tmp_path / "missing"]
    tracker.finish(RunResult(metrics={"final/score": 0.5}, best_epoch=2, tags={"phase2.store": "s3://a"}, files=files))
    tracker.close("finished")
    run = the_run(mlflow_client)
    assert run.info.run_id in where
    assert run.info.status == "FINISHED"
    assert run.data.params["training.epochs"] == "5"
    assert run.data.tags.items() >= {
        ("phase2.algorithm", "cgcnn"), ("phase2.level", "smoke"), ("phase2.data_fingerprint", "f" * 64),
        ("phase2.store", "s3://a"), ("mlflow.runName", "abc1"),
    }  # fmt: skip
    assert steps(mlflow_client, run) == [1, 2]
    assert run.data.metrics["final/score"] == 0.5
    assert [file.path for file in mlflow_client.list_artifacts(run.info.run_id)] == ["report.html"]


def test_a_resumed_run_continues_its_page_and_no_step_is_doubled(mlflow_client, make_page):
    first = MlflowTracker()
    first.open(make_page(0))
    first.log([row(1), row(2), row(3)])
    first.close("stopped")
    assert the_run(mlflow_client).info.status == "KILLED"
    again = MlflowTracker()
    again.open(make_page(2))
    assert the_run(mlflow_client).info.status == "RUNNING"
    again.log([row(3), row(4)])
    run = the_run(mlflow_client)
    for key in ("val/score", "lr", "val/mae/formation_energy"):
        assert steps(mlflow_client, run, key) == [1, 2, 3, 4]


def test_epochs_of_a_finished_run_have_the_times_of_their_ends(mlflow_client, make_page):
    MlflowTracker().open(make_page(2, started=datetime(2026, 1, 1, tzinfo=UTC)))
    run = the_run(mlflow_client)
    begin = round(1000 * datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    assert run.info.start_time == begin
    times = [metric.timestamp - begin for metric in mlflow_client.get_metric_history(run.info.run_id, "lr")]
    assert times == [2500, 5000]
