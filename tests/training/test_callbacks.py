"""What people and machines see of a training, and what a callback that fails does to it."""

import errno
import io
import json
import os
import subprocess
import sys
import time

import pytest

from phase2.errors import CallbackError
from phase2.runs.records.history import EpochRow
from phase2.training.callbacks.argo_progress import ArgoProgress
from phase2.training.callbacks.base import (
    Callback,
    DataProgress,
    EpochEnd,
    StepEnd,
    TrainBegin,
    TrainEnd,
)
from phase2.training.callbacks.composite import CompositeCallback
from phase2.training.callbacks.default import default_callbacks
from phase2.training.callbacks.log_lines import JsonLines
from phase2.training.callbacks.text_lines import TextLines
from phase2.training.checkpoints.checkpoint import load_checkpoint

BEGIN = TrainBegin("run_1", epochs=2, steps=8, done=3)
END = TrainEnd(8, "finished")


def epoch_end(epoch, *, best, score=1.0):
    row = EpochRow(epoch, epoch * 4, 1e-3, 0.5, 0.6, score, {"band_gap": 0.3, "ehull": None}, 1.5, 900.0, 0.1)
    return EpochEnd(row, best, epochs=2)


class Recorder(Callback):
    def __init__(self):
        self.events = []

    def on_train_begin(self, event):
        self.events.append(event)

    def on_step_end(self, event):
        self.events.append(event)

    def on_epoch_end(self, event):
        self.events.append(event)

    def on_train_end(self, event):
        self.events.append(event)


class Failing(Callback):
    """Fails in one method, once its event satisfies a condition."""

    def __init__(self, method, when=lambda event: True):
        setattr(self, method, self._fail)
        self.when = when

    def _fail(self, event):
        if self.when(event):
            raise ZeroDivisionError("one / zero")


def test_a_training_reports_everything_in_order(make_trainer):
    first, second = Recorder(), Recorder()
    history = make_trainer(epochs=2, callback=CompositeCallback([first, second])).fit().history
    assert first.events == second.events
    last = history[-1].step
    assert [event.step for event in first.events if isinstance(event, StepEnd)] == list(range(1, last + 1))
    assert first.events[0] == TrainBegin("run_1", epochs=2, steps=last, done=0)
    assert first.events[-1] == TrainEnd(last, "finished")
    ends = [event for event in first.events if isinstance(event, EpochEnd)]
    assert [event.row for event in ends] == list(history)
    assert ends[0].best


@pytest.mark.parametrize(
    ("method", "when", "step"),
    [
        ("on_step_end", lambda event: event.step == 3, 3),
        ("on_epoch_end", lambda event: event.row.epoch == 1, 6),
        ("on_train_end", lambda event: True, 12),
    ],
)
def test_a_callback_that_fails_is_named_and_costs_nothing_that_was_trained(make_trainer, tmp_path, method, when, step):
    whole = make_trainer("whole", epochs=2).fit()
    closed = Recorder()
    failing = CompositeCallback([Failing(method, when), closed])
    with pytest.raises(CallbackError, match=f"Failing failed in {method}: ZeroDivisionError: one / zero") as caught:
        make_trainer("failed", epochs=2, callback=failing).fit()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert closed.events[-1].outcome == ("finished" if method == "on_train_end" else "failed")
    assert load_checkpoint(tmp_path / "failed/checkpoint.pt").step == step * whole.history[0].step // 6
    again = make_trainer("failed", epochs=2)
    again.resume()
    resumed = again.fit()
    assert (resumed.test == whole.test).all()


def test_a_callback_that_fails_at_the_end_does_not_hide_why_it_ended(make_trainer, caplog):
    both = CompositeCallback([Failing("on_step_end"), Failing("on_train_end")])
    with pytest.raises(CallbackError, match="on_step_end"):
        make_trainer(callback=both).fit()
    assert "on_train_end" in caplog.text


def test_one_line_of_json_per_epoch():
    stream = io.StringIO()
    lines = JsonLines(stream)
    lines.on_train_begin(BEGIN)
    lines.on_epoch_end(epoch_end(1, best=True))
    lines.on_epoch_end(epoch_end(2, best=False))
    lines.on_train_end(END)
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(row["epoch"], row["best"]) for row in rows] == [(1, True), (2, False)]
    assert rows[0]["val_mae"] == {"band_gap": 0.3, "ehull": None}


def test_argo_gets_seconds_trained_and_in_all(tmp_path, monkeypatch):
    path, clock = tmp_path / "progress", [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    progress = ArgoProgress(path)
    progress.on_train_begin(BEGIN)
    assert not path.exists(), "nothing is known before the first step"
    clock[0] += 50
    progress.on_step_end(StepEnd(4, 8, 16, 1e-3))
    assert path.read_text() == "200/400\n", "3 steps of earlier attempts at the pace of this one"
    clock[0] += 0.5
    progress.on_step_end(StepEnd(5, 8, 16, 1e-3))
    assert path.read_text() == "200/400\n", "not at every step"
    clock[0] += 99.5
    progress.on_step_end(StepEnd(6, 8, 16, 1e-3))
    assert path.read_text() == "300/400\n"
    progress.on_step_end(StepEnd(8, 8, 16, 1e-3))
    progress.on_train_end(END)
    assert path.read_text() == "240/240\n", "it ends at the truth"


def test_argo_gets_a_total_above_zero_of_a_training_that_takes_no_time(tmp_path):
    progress = ArgoProgress(tmp_path / "progress")
    progress.on_train_begin(TrainBegin("run_1", epochs=1, steps=2, done=0))
    progress.on_step_end(StepEnd(2, 2, 16, 1e-3))
    progress.on_train_end(END)
    assert (tmp_path / "progress").read_text() == "1/1\n"


def test_a_progress_file_that_cannot_be_written_stops_nothing(tmp_path):
    progress = ArgoProgress(tmp_path / "no such folder" / "progress")
    progress.on_train_begin(BEGIN)
    progress.on_step_end(StepEnd(4, 8, 16, 1e-3))
    progress.on_train_end(END)


def test_a_log_gets_lines_and_argo_its_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ARGO_PROGRESS_FILE", str(tmp_path / "progress"))
    callback = CompositeCallback(default_callbacks())
    callback.on_train_begin(TrainBegin("run_1", epochs=1, steps=2, done=1))
    callback.on_step_end(StepEnd(2, 2, 16, 1e-3))
    callback.on_epoch_end(epoch_end(1, best=True))
    callback.on_train_end(END)
    assert json.loads(capsys.readouterr().out)["epoch"] == 1
    assert (tmp_path / "progress").read_text() == "1/1\n"


def test_the_bar_draws_on_a_terminal_and_cleans_up():
    pty = pytest.importorskip("pty")
    code = (
        "from phase2.runs.records.history import EpochRow\n"
        "from phase2.training.callbacks.base import *\n"
        "from phase2.training.callbacks.terminal import TerminalBar\n"
        "bar = TerminalBar()\n"
        "bar.on_data_progress(DataProgress(77, 100))\n"
        "bar._progress.refresh()\n"
        "bar.on_data_end()\n"
        "bar.on_train_begin(TrainBegin('run_1', epochs=3, steps=8, done=0))\n"
        "bar.on_step_end(StepEnd(4, 8, 16, 1e-3))\n"
        "bar.on_epoch_end(EpochEnd(EpochRow(1, 4, 1e-3, .5, .6, .71, {}, 1.5, 900.0, .1), best=True, epochs=3))\n"
        "bar._progress.refresh()\n"
        "bar.on_train_end(TrainEnd(8, 'finished'))\n"
        "assert bar._progress is None\n"
    )
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "160"}
    subprocess.run([sys.executable, "-c", code], stderr=theirs, stdin=theirs, env=environment, check=True)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    os.close(theirs)
    assert "77/100" in shown
    assert "epoch 2/3" in shown
    assert "900 crystals/s" in shown
    assert "score 0.710 (best)" in shown


def test_a_notebook_gets_one_output_that_is_updated(monkeypatch):
    import IPython.display

    from phase2.training.callbacks.notebook import NotebookBar

    shown, updated = [], []

    class Handle:
        def update(self, content):
            updated.append(content.data)

    def display(content, *, display_id):
        assert display_id
        shown.append(content.data)
        return Handle()

    monkeypatch.setattr(IPython.display, "display", display)
    bar = NotebookBar()
    bar.on_data_progress(DataProgress(5, None))
    bar.on_train_begin(BEGIN)
    bar.on_step_end(StepEnd(4, 8, 16, 1e-3))
    bar.on_epoch_end(epoch_end(1, best=True, score=0.5))
    bar.on_epoch_end(epoch_end(2, best=False))
    bar.on_train_end(END)
    assert len(shown) == 1
    assert not any("4/8 steps</" in line for line in updated), "not at every step"
    assert updated[-1] == "<p>training finished after 8 steps; best epoch 1: score 0.500</p>"


def test_nothing_heavy_is_imported_before_a_bar_is_drawn():
    code = (
        "import sys, phase2.training.callbacks.default as d; d.default_callbacks();"
        "print(*(name in sys.modules for name in ('rich', 'torch', 'IPython')))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False"] * 3


def test_a_log_of_long_epochs_gets_a_line_now_and_then(monkeypatch):
    monkeypatch.setattr(TextLines, "INTERVAL", 0.0)
    stream = io.StringIO()
    lines = TextLines(stream)
    lines.on_train_begin(TrainBegin("run_1", epochs=2, steps=8, done=3))
    lines.on_step_end(StepEnd(4, 8, 16, 1e-3))
    assert stream.getvalue().split(",")[0] == f"{'':>9} step 4 of 8"
    assert stream.getvalue().endswith("left\n")
    lines.on_epoch_end(epoch_end(1, best=True))
    lines.on_epoch_end(epoch_end(2, best=False))
    assert [line.split()[0] for line in stream.getvalue().splitlines()] == ["step", "epoch", "val", "1/2", "2/2"]


def test_a_heading_is_repeated(monkeypatch):
    monkeypatch.setattr(TextLines, "PAGE", 2)
    stream = io.StringIO()
    lines = TextLines(stream)
    lines.on_train_begin(BEGIN)
    for epoch in (1, 2, 3):
        lines.on_epoch_end(epoch_end(epoch, best=True))
    first = [line.split()[0] for line in stream.getvalue().splitlines()]
    assert first == ["epoch", "val", "1/2", "2/2", "epoch", "val", "3/2"]


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(errno.EIO, "gone"), OSError(errno.ENOSPC, "full")])
@pytest.mark.parametrize("kind", [JsonLines, TextLines])
def test_a_reader_who_has_gone_or_a_full_disk_stops_nothing(kind, error):
    class Closed(io.StringIO):
        def write(self, _):
            raise error

    lines = kind(Closed())
    lines.on_train_begin(BEGIN)
    lines.on_epoch_end(epoch_end(1, best=True))
    lines.on_epoch_end(epoch_end(2, best=True))
