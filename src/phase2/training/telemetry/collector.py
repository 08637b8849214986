"""Metrics of a training, made of its newest state when they are scraped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from phase2.properties import error_unit
from phase2.training.callbacks.base import AttemptBegin, EpochEnd
from phase2.training.callbacks.progress import TrainingProgress
from phase2.training.telemetry.gpu import GpuUsage, gpu_usage

PREFIX = "phase2_training_"
LABELS = ("run", "algorithm", "mode")


class TrainingCollector(Collector):
    """Collector of a training's metrics, labelled with run id, algorithm and mode; none before the attempt begins.

    Args:
        progress: State of the training.
        read_gpu: Reads the use of a device; None asks the driver.
    """

    def __init__(self, progress: TrainingProgress, *, read_gpu: Callable[[str], GpuUsage | None] | None = None) -> None:
        self._progress = progress
        self._read_gpu = read_gpu or gpu_usage

    def describe(self) -> Iterable[Metric]:
        """Describe nothing: names are the collector's own, and are not compared with others at registration."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics that have a value by now."""
        attempt = self._progress.attempt
        if attempt is None:
            return
        labels = (attempt.run_id, attempt.algorithm, attempt.mode)
        for name, text, value in self._values(attempt):
            if value is not None:
                yield _gauge(name, text, labels, [((), value)])
        crystals = CounterMetricFamily(PREFIX + "crystals", "Crystals trained on in this attempt.", labels=LABELS)
        crystals.add_metric(labels, self._progress.crystals)
        yield crystals
        epoch = self._progress.epoch
        if epoch is not None:
            yield from _epoch_metrics(epoch, labels)

    def _values(self, attempt: AttemptBegin) -> Iterator[tuple[str, str, float | None]]:
        progress = self._progress
        begin, step, epoch = progress.begin, progress.step, progress.epoch
        yield "attempt", "Number of the attempt, from 1.", attempt.attempt
        yield "active", "1 while steps are taken or validated, 0 before and after.", progress.is_training
        if begin is not None:
            done = begin.done if step is None else step.step
            yield "step", "Steps taken, earlier attempts included.", done
            yield "steps", "Steps in all.", begin.steps
            yield "epoch", "Epochs finished.", done * begin.epochs // begin.steps if epoch is None else epoch.row.epoch
            yield "epochs", "Epochs in all.", begin.epochs
            yield "last_step_timestamp_seconds", "Time of the last step, or of the start.", progress.last_step
        yield "learning_rate", "Learning rate of the last step.", None if step is None else step.lr
        yield "eta_seconds", "Estimated time until the last step.", progress.eta()
        if attempt.uploads is not None:
            yield "unsent_bytes", "Size of the checkpoint that waits for its upload.", attempt.uploads.unsent_bytes
            yield "store_up", "1 unless the last upload of a checkpoint failed.", not attempt.uploads.is_failing
        saved = None
        with suppress(OSError):  # before the first checkpoint
            saved = attempt.checkpoint.stat().st_mtime
        yield "checkpoint_timestamp_seconds", "Time of the newest checkpoint.", saved
        yield from _gpu_values(self._read_gpu(attempt.device))


def _gpu_values(usage: GpuUsage | None) -> Iterator[tuple[str, str, float | None]]:
    if usage is not None:
        yield "gpu_utilization_ratio", "Share of the time in which the GPU computed.", usage.utilization
        yield "gpu_memory_used_bytes", "Memory of the GPU in use, by all processes.", usage.used_bytes
        yield "gpu_memory_total_bytes", "Memory of the GPU.", usage.total_bytes
        yield "gpu_memory_allocated_bytes", "Memory of the training's tensors.", usage.allocated_bytes
        yield "gpu_memory_reserved_bytes", "Memory that PyTorch holds for them.", usage.reserved_bytes


def _epoch_metrics(event: EpochEnd, labels: tuple[str, ...]) -> Iterator[Metric]:
    row = event.row
    losses: list[tuple[tuple[str, ...], float]] = [(("train",), row.train_loss), (("val",), row.val_loss)]
    yield _gauge("loss", "Mean loss of the last epoch, normalised units.", labels, losses, "part")
    errors = [((key, error_unit(key, row.own_units)), mae) for key, mae in row.val_mae.items() if mae is not None]
    yield _gauge("val_mae", "Validation MAE of the last epoch, in the unit.", labels, errors, "property", "unit")
    if row.val_log_loss:
        entropies = [((key,), value) for key, value in row.val_log_loss.items() if value is not None]
        yield _gauge("val_log_loss", "Validation log loss of the last epoch.", labels, entropies, "property")
    yield _gauge("val_score", "Mean of MAE / MAE of the median; lower is better.", labels, [((), row.val_score)])
    yield _gauge(
        "crystals_per_second", "Speed of the last epoch, without validation.", labels, [((), row.structures_per_second)]
    )
    yield _gauge("data_wait_ratio", "Share of its time spent waiting for a batch.", labels, [((), row.data_wait)])
    yield _gauge("epoch_seconds", "Duration of the last epoch, with validation.", labels, [((), row.seconds)])


def _gauge(
    name: str, text: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]], *more: str
) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, text, labels=(*LABELS, *more))
    for further, value in values:
        family.add_metric((*labels, *further), float(value))
    return family
