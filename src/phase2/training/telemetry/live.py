"""Writing the newest state of a training for those who watch it: into its directory, and into the store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from phase2.errors import Phase2Error
from phase2.machine.place import detect_place
from phase2.runs.live.points import thinned
from phase2.runs.live.record import MOST_ROWS, GpuRecord, LiveRecord, Phase
from phase2.runs.records.history import EpochRow, best_row
from phase2.training.callbacks.base import TrainBegin
from phase2.training.callbacks.progress import TrainingProgress
from phase2.training.telemetry.gpu import gpu_usage
from phase2.training.telemetry.periodic import repeated

FOLDER_SECONDS = 2.0
"""Seconds between two writes into the directory."""
STORE_SECONDS = 30.0
"""Seconds between two uploads: 120 small requests per hour."""
_LOG = logging.getLogger(__name__)


@contextmanager
def live_record(path: Path, upload: Callable[[bytes], None] | None) -> Iterator[TrainingProgress]:
    """Keep the record of a training up to date during a block; it is removed at the end of a finished one.

    Threads beside the training write it, so that no step waits for a disk or a network. A failure to write it is
    logged and does not disturb the training.

    Args:
        path: File in the run directory.
        upload: Puts the record into the store; None without one.

    Yields:
        Callback of the training.
    """
    writer = _LiveWriter(path, upload)
    with ExitStack() as stack:
        stack.enter_context(repeated(writer.write, FOLDER_SECONDS, name="live-record"))
        if upload is not None:
            stack.enter_context(repeated(writer.upload, STORE_SECONDS, name="live-record-upload"))
        try:
            yield writer
        except BaseException:
            writer.has_failed = True
            raise
    if not writer.has_failed:
        path.unlink(missing_ok=True)


class _LiveWriter(TrainingProgress):
    def __init__(self, path: Path, upload: Callable[[bytes], None] | None) -> None:
        super().__init__()
        self.has_failed = False
        self._path = path
        self._upload = upload
        self._begun: datetime | None = None
        self._place = detect_place().pod or detect_place().host

    def on_train_begin(self, event: TrainBegin) -> None:
        """Note the time, and write the first record at once."""
        super().on_train_begin(event)
        self._begun = datetime.now(UTC)
        self.write()

    def write(self) -> None:
        """Replace the file; without syncing the disk, since nothing depends on it after a crash."""
        content = self._content()
        if content is None:
            return
        temporary = self._path.with_name(f"{self._path.name}.tmp")
        try:
            temporary.write_bytes(content)
            temporary.replace(self._path)
        except OSError as error:
            _LOG.info("The progress is not written to %s: %s", self._path, error)

    def upload(self) -> None:
        """Replace the record in the store."""
        content = None if self.has_failed or not self.is_training else self._content()
        if content is None or self._upload is None:
            return
        try:
            self._upload(content)
        except (Phase2Error, OSError) as error:
            _LOG.info("The progress is not in the store: %s", error)

    def _content(self) -> bytes | None:
        record = self._record()
        return None if record is None else record.model_dump_json().encode()

    def _record(self) -> LiveRecord | None:
        attempt, begin, begun = self.attempt, self.begin, self._begun
        if attempt is None or begin is None or begun is None:
            return None
        return LiveRecord(
            run_id=attempt.run_id,
            algorithm=attempt.algorithm,
            mode=attempt.mode,
            attempt=attempt.attempt,
            host=self._place,
            device=attempt.device,
            phase=self._phase(),
            started=begun,
            updated=datetime.now(UTC),
            last_step=datetime.fromtimestamp(self.last_step, UTC),
            step=begin.done if self.step is None else self.step.step,
            steps=begin.steps,
            epochs=begin.epochs,
            rate=self.rate(),
            eta_seconds=self.eta(),
            gpu=_gpu(attempt.device),
            rows=_shown(tuple(self.rows)),
        )

    def _phase(self) -> Phase:
        if self.has_failed:
            return "ended"
        return "training" if self.is_training else "finishing"


def _shown(rows: tuple[EpochRow, ...]) -> tuple[EpochRow, ...]:
    kept = thinned(rows, MOST_ROWS)
    best = best_row(rows)
    return kept if best is None or best in kept else tuple(sorted((*kept, best), key=lambda row: row.epoch))


def _gpu(device: str) -> GpuRecord | None:
    usage = gpu_usage(device)
    if usage is None:
        return None
    return GpuRecord(utilization=usage.utilization, used_bytes=usage.used_bytes, total_bytes=usage.total_bytes)
