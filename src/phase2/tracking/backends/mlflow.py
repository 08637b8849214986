"""Pages of runs on an MLflow server, which is named by ``MLFLOW_TRACKING_URI``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from phase2.output.secrets import without_secrets
from phase2.runs.records.history import EpochRow
from phase2.tracking.base import Tracker
from phase2.tracking.page import RUN_TAG, Outcome, RunPage, RunResult, epoch_metrics

if TYPE_CHECKING:
    from mlflow.entities import Metric, Run

_STATUS = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
_MOST_PARAMS = 100
"""Settings of one request, by MLflow's REST API."""

# A server that hangs is given up soon and asked again at the next epoch; MLflow's own limits add up to minutes.
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT": "20",
}


class MlflowTracker(Tracker):
    """Page of a run on an MLflow server: an MLflow run with the tag ``phase2.run_id``."""

    def __init__(self) -> None:
        for name, value in _PATIENCE.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient

        self._client = MlflowClient()
        self._id = ""
        self._logged: set[int] = set()
        self._ended: int | None = None

    def open(self, page: RunPage) -> str:
        """Find the page by its tag, or make it; it is in progress again."""
        client = self._client
        experiment = self._experiment()
        query = f"tags.`{RUN_TAG}` = '{page.run_id}' and tags.`phase2.family` = '{page.family}'"
        # The oldest, should two processes have made one each.
        found = client.search_runs([experiment], query, max_results=1, order_by=["attributes.start_time ASC"])
        tags = dict(page.tags)
        if found:
            run = found[0]
            client.update_run(run.info.run_id, status="RUNNING")
        else:
            start = _milliseconds(page.times[0]) - round(1000 * page.rows[0].seconds) if page.times else None
            run = client.create_run(experiment, start_time=start, tags=tags, run_name=page.run_id)
        self._id = run.info.run_id
        self._add_settings(page, run)
        # In one request with all others of its epoch.
        self._logged = {metric.step for metric in client.get_metric_history(self._id, "val/score")}
        self._log(page.rows, page.times or (None,) * len(page.rows))
        return f"run {self._id} of experiment {experiment} at {without_secrets(client.tracking_uri)}"

    def log(self, rows: Sequence[EpochRow]) -> None:
        """Add epochs."""
        self._log(rows, (None,) * len(rows))

    def finish(self, result: RunResult) -> None:
        """Add the final errors, the tags, and the files."""
        from mlflow.entities import Metric

        now = self._ended = _milliseconds(result.ended)
        known = self._client.get_run(self._id).data.metrics
        self._send(
            Metric(name, value, now, result.best_epoch)
            for name, value in result.metrics.items()
            if known.get(name) != value
        )
        self._set_tags(result.tags)
        for file in result.files:
            if file.is_file():
                self._client.log_artifact(self._id, str(file))

    def close(self, outcome: Outcome) -> None:
        """Set the status."""
        self._client.set_terminated(self._id, _STATUS[outcome], end_time=self._ended)

    def _experiment(self) -> str:
        if identifier := os.environ.get("MLFLOW_EXPERIMENT_ID"):
            return identifier
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "phase2"
        found = self._client.get_experiment_by_name(name)
        return found.experiment_id if found else self._client.create_experiment(name)

    def _add_settings(self, page: RunPage, run: Run) -> None:
        """Add the settings that are not there; MLflow refuses to change one, as an accepted change would."""
        from mlflow.entities import Param

        params = [Param(path, str(value)) for path, value in page.settings.items() if path not in run.data.params]
        for start in range(0, len(params), _MOST_PARAMS):
            self._client.log_batch(self._id, params=params[start : start + _MOST_PARAMS])
        self._set_tags({name: value for name, value in page.tags.items() if run.data.tags.get(name) != value})

    def _set_tags(self, tags: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        if tags:
            self._client.log_batch(self._id, tags=[RunTag(name, value) for name, value in tags.items()])

    def _log(self, rows: Sequence[EpochRow], times: Sequence[datetime | None]) -> None:
        from mlflow.entities import Metric

        for row, time in zip(rows, times, strict=True):
            if row.epoch not in self._logged:
                now = _milliseconds(time)
                self._send(Metric(name, value, now, row.epoch) for name, value in epoch_metrics(row).items())
                self._logged.add(row.epoch)

    def _send(self, metrics: Iterable[Metric]) -> None:
        self._client.log_batch(self._id, metrics=list(metrics))


def _milliseconds(time: datetime | None) -> int:
    return round(1000 * (time or datetime.now(UTC)).timestamp())
