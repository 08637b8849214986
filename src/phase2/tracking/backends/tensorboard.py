"""Pages of runs as event files for TensorBoard."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.plugins.text.metadata import create_summary_metadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto

from phase2.config.settings import tensorboard_dir
from phase2.runs.records.history import EpochRow
from phase2.tracking.base import Tracker
from phase2.tracking.page import Outcome, RunPage, RunResult, epoch_metrics

_EVENTS = "events.out.tfevents.*"


class TensorBoardTracker(Tracker):
    """Page of a run as a folder of event files: ``tensorboard/<family>/<name>`` beside the runs.

    Event files can only grow, and the attempt before may have ended anywhere, or on another machine: each attempt
    writes the epochs before it anew, and removes the files of earlier ones.
    """

    def __init__(self) -> None:
        self._writer: EventFileWriter | None = None

    def open(self, page: RunPage) -> str:
        """Write the page so far."""
        folder = (tensorboard_dir() or page.folder / "tensorboard") / page.family / page.name
        self._close_writer()
        earlier = list(folder.glob(_EVENTS)) if folder.is_dir() else []
        self._writer = EventFileWriter(str(folder), filename_suffix=f".{time.time_ns()}.phase2")
        # A TensorBoard that has read the earlier files forgets them then.
        self._add(Event(step=0, session_log=SessionLog(status=SessionLog.START)))
        self._add_summary(hparams_pb(dict(page.settings), trial_id=page.run_id))
        self._add_text("settings", page.settings)
        self._add_text("run", page.tags)
        times = [each.timestamp() for each in page.times] or [time.time()] * len(page.rows)
        for row, when in zip(page.rows, times, strict=True):
            self._add_scalars(epoch_metrics(row), row.epoch, when)
        self._flush()
        for file in earlier:
            file.unlink(missing_ok=True)
        return f"tensorboard --logdir {_quoted(folder.parent.parent)}"

    def log(self, rows: Sequence[EpochRow]) -> None:
        """Add epochs."""
        for row in rows:
            self._add_scalars(epoch_metrics(row), row.epoch, time.time())
        self._flush()

    def finish(self, result: RunResult) -> None:
        """Add the final errors, and where the files of the run are."""
        self._add_scalars(result.metrics, result.best_epoch, time.time())
        files = {file.name: str(file) for file in result.files if file.is_file()}
        self._add_text("result", {**result.tags, **files})
        self._flush()

    def close(self, outcome: Outcome) -> None:
        """Write how the run ended."""
        self._add_text("outcome", {"outcome": outcome})
        self._close_writer()

    def _add(self, event: Event) -> None:
        if self._writer is None:
            raise RuntimeError("The page is not open.")
        event.wall_time = event.wall_time or time.time()
        self._writer.add_event(event)

    def _add_scalars(self, metrics: Mapping[str, float], step: int, when: float) -> None:
        values = [Summary.Value(tag=name, simple_value=value) for name, value in metrics.items()]
        self._add(Event(wall_time=when, step=step, summary=Summary(value=values)))

    def _add_text(self, name: str, rows: Mapping[str, object]) -> None:
        content = make_tensor_proto(_table(rows.items()).encode(), dtype="string", shape=())
        metadata = create_summary_metadata(name, "")
        self._add_summary(Summary(value=[Summary.Value(tag=name, tensor=content, metadata=metadata)]))

    def _add_summary(self, summary: Summary) -> None:
        self._add(Event(step=0, summary=summary))

    def _flush(self) -> None:
        if self._writer is not None:
            self._writer.flush()

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _table(rows: Iterable[tuple[str, object]]) -> str:
    from phase2.runs.report.markdown import table

    return table(("what", "value"), [(name, str(value)) for name, value in rows])


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
