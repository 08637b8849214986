"""What people and machines are told about a training."""

import io
import json
import os
import subprocess
import sys

import pytest

from phase2.runs.history import EpochRow
from phase2.training.progress import CompositeReporter, JsonLines, ProgressFile, Silent, default_reporter


def row(epoch, score=1.0):
    return EpochRow(epoch, epoch * 4, 1e-3, 0.5, 0.6, score, {"band_gap": 0.3, "ehull": None}, 1.5, 900.0, 0.1)


class Recorder(Silent):
    def __init__(self):
        self.told = []

    def begin(self, *, epochs, steps, done):
        self.told.append(("begin", epochs, steps, done))

    def step(self, done):
        self.told.append(("step", done))

    def epoch(self, row, *, best):
        self.told.append(("epoch", row.epoch, best))

    def end(self):
        self.told.append(("end",))


def test_the_loop_tells_everything_in_order(make_trainer):
    first, second = Recorder(), Recorder()
    history = make_trainer(epochs=2, reporter=CompositeReporter([first, second])).fit().history
    assert first.told == second.told
    steps = [told[1] for told in first.told if told[0] == "step"]
    assert steps == list(range(1, history[-1].step + 1))
    assert first.told[0] == ("begin", 2, history[-1].step, 0)
    assert first.told[-1] == ("end",)
    assert next(told for told in first.told if told[0] == "epoch") == ("epoch", 1, True)


def test_one_line_of_json_per_epoch():
    stream = io.StringIO()
    reporter = JsonLines(stream)
    reporter.begin(epochs=2, steps=8, done=0)
    reporter.epoch(row(1), best=True)
    reporter.epoch(row(2), best=False)
    reporter.end()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["epoch"], line["best"]) for line in lines] == [(1, True), (2, False)]
    assert lines[0]["val_mae"] == {"band_gap": 0.3, "ehull": None}


def test_the_progress_file_ends_at_the_truth(tmp_path, monkeypatch):
    path = tmp_path / "progress"
    reporter = ProgressFile(path)
    reporter.begin(epochs=2, steps=8, done=3)
    assert path.read_text() == "3/8\n"
    reporter.step(4)
    assert path.read_text() == "3/8\n", "not at every step"
    reporter.end()
    assert path.read_text() == "4/8\n"
    monkeypatch.setattr(ProgressFile, "INTERVAL", 0)
    reporter.step(5)
    assert path.read_text() == "5/8\n"


def test_a_progress_file_that_cannot_be_written_stops_nothing(tmp_path):
    reporter = ProgressFile(tmp_path / "no such folder" / "progress")
    reporter.begin(epochs=1, steps=1, done=0)
    reporter.end()


def test_a_log_gets_lines_and_argo_its_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ARGO_PROGRESS_FILE", str(tmp_path / "progress"))
    reporter = default_reporter()
    reporter.begin(epochs=1, steps=2, done=1)
    reporter.epoch(row(1), best=True)
    reporter.end()
    assert json.loads(capsys.readouterr().out)["epoch"] == 1
    assert (tmp_path / "progress").read_text() == "1/2\n"


def test_the_bar_draws_on_a_terminal_and_cleans_up():
    pty = pytest.importorskip("pty")
    code = (
        "from phase2.runs.history import EpochRow\n"
        "from phase2.training.progress import Bar\n"
        "bar = Bar()\n"
        "bar.begin(epochs=3, steps=8, done=0)\n"
        "bar.step(4)\n"
        "bar.epoch(EpochRow(1, 4, 1e-3, .5, .6, .71, {}, 1.5, 900.0, .1), best=True)\n"
        "bar._progress.refresh()\n"
        "bar.end()\n"
    )
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "160"}
    subprocess.run([sys.executable, "-c", code], stderr=theirs, stdin=theirs, env=environment, check=True)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    os.close(theirs)
    assert "epoch 1/3" in shown
    assert "900 structures/s" in shown


def test_rich_is_not_imported_before_a_bar_is_drawn():
    code = "import sys, phase2.training.progress; print('rich' in sys.modules, 'torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
