"""The page of the metrics: what a training, the observer and Argo's controller export, read from their collectors."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hera.workflows import models
from prometheus_client.core import Metric

from phase2.cluster.observer.metrics import RunMetrics
from phase2.cluster.observer.observation import Observation
from phase2.cluster.run_state import RunState
from phase2.runs.records.history import EpochRow
from phase2.runs.report.markdown import markup_table
from phase2.training.callbacks.base import AttemptBegin, EpochEnd, StepEnd, TrainBegin
from phase2.training.callbacks.progress import TrainingProgress
from phase2.training.telemetry.collector import TrainingCollector
from phase2.training.telemetry.gpu import GpuUsage
from tools.manifests.argo.metrics import workflow_metrics

_UNITS = {
    "_timestamp_seconds": "seconds since 1970",
    "_seconds": "seconds",
    "_bytes": "bytes",
    "_ratio": "0 to 1",
    "_per_second": "per second",
    "val_mae": "label `unit`",
}
_COLUMNS = ("metric", "type", "labels", "unit", "what")

_INTRODUCTION = """\
# Metrics

What Prometheus can read of phase2. How to have it read them, with dashboard and alerts:
[Watch runs with Prometheus and Grafana](../how-to/monitoring.md). A counter is queried by the name that ends in
`_total`.
"""


@dataclass(frozen=True)
class _Uploads:
    unsent_bytes: int = 0
    is_failing: bool = False


def metrics_page() -> str:
    """Return the page, from what each exporter exports when everything about it is known."""
    sections = {
        "A training": (
            "`phase2 train --metrics-port` and `--metrics-textfile`, and the pods of runs where the chart's "
            "`monitoring.enabled` says so. Those of the GPU are there on a GPU alone.",
            training_metrics(),
        ),
        "The observer": ("`phase2 observe`, in the chart `observer.enabled`.", observer_metrics()),
    }
    parts = [_INTRODUCTION]
    for title, (text, families) in sections.items():
        parts.append(f"## {title}\n\n{text}\n\n{markup_table(_COLUMNS, [_row(one) for one in families])}\n")
    argo = "Declared by the WorkflowTemplates, exported by Argo's controller when a workflow ends."
    parts.append(f"## Argo's controller\n\n{argo}\n\n{markup_table(_COLUMNS, list(_argo_rows()))}\n")
    return "\n".join(parts)


def training_metrics() -> list[Metric]:
    """Return the metrics of a training on a GPU that has a store, a binary property, and has finished an epoch."""
    with tempfile.NamedTemporaryFile() as checkpoint:
        progress = TrainingProgress()
        place = Path(checkpoint.name)
        progress.on_attempt_begin(AttemptBegin("run", "e3nn", "std", 1, "cuda:0", place, _Uploads()))
        progress.on_train_begin(TrainBegin("run", 2, 8, 0))
        progress.on_step_end(StepEnd(1, 8, 16, 1e-3))
        row = EpochRow(1, 4, 1e-3, 1.0, 1.0, 1.0, {"band_gap": 1.0}, 1.0, 1.0, 0.0, val_log_loss={"metal": 0.5})
        progress.on_epoch_end(EpochEnd(row, best=True, epochs=2))
        return list(TrainingCollector(progress, read_gpu=lambda _: GpuUsage(0.5, 1, 2, 1, 1)).collect())


def observer_metrics() -> list[Metric]:
    """Return the metrics of an observer that has seen a run."""
    now = datetime.now(UTC)
    state = RunState(
        run_id="run",
        kind="Job",
        name="phase2-run",
        namespace="phase2",
        algorithm="e3nn",
        mode="std",
        state="running",
        message="runs",
        attempt=1,
        pod=None,
        node=None,
        exit_code=None,
        created=now,
        ended=None,
        command="",
    )
    metrics = RunMetrics("phase2")
    metrics.update([Observation(uid="1", api_version="batch/v1", state=state)], [], nightly=now, store=True)
    return list(metrics.collect())


def _row(family: Metric) -> Sequence[str]:
    name = family.name + ("_total" if family.type == "counter" else "")
    labels = ", ".join(f"`{label}`" for label in family.samples[0].labels) if family.samples else ""
    return f"`{name}`", family.type, labels, _unit(family.name), family.documentation


def _unit(name: str) -> str:
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")


def _argo_rows() -> Iterator[Sequence[str]]:
    for one in _declared():
        kind = "counter" if one.counter is not None else "histogram"
        labels = ", ".join(f"`{label.key}`" for label in one.labels or ())
        yield f"`argo_workflows_{one.name}`", kind, labels, _unit(one.name), one.help


def _declared() -> Iterable[models.Prometheus]:
    return workflow_metrics("phase2-train").prometheus or ()
