"""``phase2 train --log-format``: lines for people or for programs, by where they go; and a table on a terminal."""

import json
import os
import re
import subprocess
import sys
from dataclasses import fields

import pytest
from tests.cli.terminal import on_terminal

from phase2.cli import main
from phase2.runs.live.log_progress import LogProgress
from phase2.runs.live.points import EpochPoint
from phase2.runs.records.history import EpochRow, read_history

SMALL = ["train", "--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--epochs", "3", "--no-baselines"]
OUTSIDE = {"PHASE2_POD_NAME": "", "KUBERNETES_SERVICE_HOST": "", "PHASE2_LOG_FORMAT": ""}
IN_A_POD = {"PHASE2_POD_NAME": "train-1"}


def train(tmp_path, *words, **variables):
    command = [sys.executable, "-m", "phase2", *SMALL, "--output", str(tmp_path), *words]
    environment = os.environ | OUTSIDE | variables
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    (history,) = tmp_path.rglob("history.json")
    return done, read_history(history)


@pytest.mark.parametrize(
    ("words", "variables", "is_text"),
    [
        ((), {}, False),
        ((), IN_A_POD, True),
        ((), {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, True),
        (("--log-format", "json"), IN_A_POD, False),
        ((), IN_A_POD | {"PHASE2_LOG_FORMAT": "json"}, False),
        (("--log-format", "text"), {"PHASE2_LOG_FORMAT": "json"}, True),
    ],
)
def test_the_lines_are_text_in_a_pod_and_json_for_a_program(cache, tmp_path, words, variables, is_text):
    done, history = train(tmp_path, *words, **variables)
    rows = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert bool(rows) is not is_text
    progress = LogProgress()
    for line in (*done.stderr.splitlines(), *done.stdout.splitlines()):
        progress.feed(line)
    assert [point.epoch for point in progress.points] == [row.epoch for row in history] == [1, 2, 3]
    assert (progress.epochs, progress.steps, progress.step) == (3, history[-1].step, history[-1].step)
    for point, row in zip(progress.points, history, strict=True):
        assert point.score == pytest.approx(row.val_score, abs=1e-3)
        assert point.mae == pytest.approx(row.val_mae, rel=1e-3)


def test_json_keeps_its_shape(cache, tmp_path):
    done, history = train(tmp_path, "--log-format", "json")
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    keys = [one.name for one in fields(EpochRow) if one.name not in {"val_log_loss", "own_units", "imbalance"}]
    assert [list(row) for row in rows] == [[*keys, "best"]] * 3, "of the nine alone, as in 0.1.0"
    bests = [row.pop("best") for row in rows]
    assert tuple(EpochRow(**row) for row in rows) == history
    scores = [row.val_score for row in history]
    assert bests == [score == min(scores[: index + 1]) for index, score in enumerate(scores)]


def test_the_text_is_a_table_under_a_heading(cache, tmp_path):
    done, history = train(tmp_path, "--log-format", "text")
    table = done.stdout.splitlines()[:5]
    assert table[0].split()[0] == "epoch"
    assert [line.split()[0] for line in table[2:]] == ["1/3", "2/3", "3/3"]
    assert {len(line) for line in table} == {len(table[0])}
    progress = LogProgress()
    for line in table:
        progress.feed(line)
    assert progress.points[0].mae == pytest.approx(EpochPoint.of(history[0]).mae, rel=1e-3)


def test_another_format_is_refused_before_any_work(tmp_path, capsys, monkeypatch):
    words = [*SMALL, "--output", str(tmp_path / "runs")]
    assert main([*words, "--log-format", "jsn"]) == 2
    assert "Did you mean 'json'?" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
    assert main(["tune", "--over", "training.lr=1e-4..1e-2:log", "--log-format", "xml"]) == 2
    assert "Use one of: text, json" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [80, 140])
def test_a_terminal_has_a_bar_and_a_tidy_line_for_each_epoch(cache, tmp_path, columns):
    shown = on_terminal([*SMALL, "--output", str(tmp_path)], columns, **OUTSIDE)
    (history,) = tmp_path.rglob("history.json")
    rows = read_history(history)
    assert re.search(r"epoch 1/3", shown)
    assert re.search(r"crystals/s", shown)
    assert re.search(r"\d+s left", shown)
    assert bool(re.search(r"step +\d+/\d+", shown)) is (columns > 90)
    progress = LogProgress()
    for line in shown.splitlines():
        assert len(line) <= columns or not re.match(r"epoch| *(epoch|\d+/3) ", line), line
        progress.feed(line)
    assert [point.epoch for point in progress.points] == [1, 2, 3]
    assert "{" not in shown.split("cgcnn smoke")[0]
    assert len(progress.points[-1].mae) == (1 if columns == 80 else len(rows[-1].val_mae))
