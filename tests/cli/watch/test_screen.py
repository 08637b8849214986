"""What ``phase2 watch`` draws: every size of terminal, one run or many, and no line that is too long."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from phase2.cli.watch.plain import changes
from phase2.cli.watch.screen import screen
from phase2.cli.watch.sparkline import sparkline
from phase2.properties import KEYS
from phase2.runs.live.points import EpochPoint
from phase2.runs.live.record import GpuRecord
from phase2.runs.live.view import RunView
from phase2.runs.records.attempts import Attempt

NOW = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)


def points(count, keys=KEYS[:4]):
    return tuple(
        EpochPoint(n, 1 / n, 1.1 / n, 0.9 / n + (n > 8), dict.fromkeys(keys, 2 / n), 3.0, 1234.0)
        for n in range(1, count + 1)
    )


VIEW = RunView(
    run_id="3f2a91bc",
    algorithm="e3nn",
    mode="std",
    state="running",
    where="pod-1",
    device="cuda:0",
    attempt=2,
    attempts=(
        Attempt(start=NOW - timedelta(hours=3), outcome="killed", host="pod-0"),
        Attempt(start=NOW - timedelta(minutes=70), host="pod-1", resumed_from="epoch 4, step 480"),
    ),
    started=NOW - timedelta(minutes=70),
    updated=NOW - timedelta(seconds=4),
    step=1200,
    steps=12_000,
    epochs=100,
    rate=1234.0,
    eta_seconds=3724.0,
    gpu=GpuRecord(utilization=0.83, used_bytes=12 << 30, total_bytes=80 << 30),
    points=points(10),
)


def drawn(views, width, height, **options):
    stream = io.StringIO()
    console = Console(file=stream, width=width, height=height, force_terminal=True, color_system=None)
    console.print(screen(views, width, height, title="s3://bucket/models", now=NOW, **options), end="")
    return stream.getvalue()


@pytest.mark.parametrize("count", [0, 1, 2, 7, 40])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 10), (30, 6), (120, 40), (200, 60)])
def test_it_fits_on_every_terminal(width, height, count):
    views = [replace(VIEW, run_id=f"run-{n}", message="why " * n, points=points(10, KEYS)) for n in range(count)]
    lines = drawn(views, width, height, chosen=max(0, count - 1)).split("\n")
    assert len(lines) == height
    assert max(map(len, lines)) <= width
    assert "phase2 watch" in lines[0]
    if count:
        assert f"run-{count - 1}" in "\n".join(lines)
        assert "q leaves" in lines[-1]


def test_all_that_is_known_of_a_run_is_there():
    text = drawn([VIEW], 100, 30)
    for part in (
        "3f2a91bc  e3nn std  running  attempt 2",
        "epoch 10/100",
        "10%",
        "step 1,200/12,000",
        "1,234 crystals/s · 1h02m left, until",
        "since 1h10m",
        "pod-1 (cuda:0)",
        "formation_energy [eV/atom]",
        "best epoch 8, score 0.113",
        "GPU 83% busy, 12.0 of 80.0 GiB",
        "attempt 1 killed on pod-0",
        "attempt 2 running for 1h10m on pod-1, from epoch 4, step 480",
        "█▆▅▄▃▃▂▂▁▁",
    ):
        assert part in text, text


def test_numbers_that_are_old_say_so_and_the_time_left_goes_on():
    text = drawn([replace(VIEW, updated=NOW - timedelta(seconds=124))], 100, 30)
    assert "1h00m left" in text
    assert "seen 2m04s ago" in text


def test_of_many_runs_each_has_a_row_and_the_chosen_one_is_shown_in_full():
    views = [replace(VIEW, run_id="first"), replace(VIEW, run_id="second", state="failed", has_ended=True)]
    text = drawn(views, 80, 24, chosen=1)
    rows = text.split("\n")[2:4]
    assert [row.split()[:4] for row in rows] == [["first", "e3nn", "std", "running"], ["▸", "second", "e3nn", "std"]]
    assert "second  e3nn std  failed" in text.split("─" * 80)[1]
    assert "↑ ↓ choose a run" in text


def test_trouble_is_said_and_what_was_seen_stays():
    text = drawn([VIEW], 80, 24, trouble="no route to host")
    assert "no answer: no route to host; trying again" in text
    assert "3f2a91bc" in text
    assert "looking ..." in drawn(None, 80, 24)
    assert "every run has ended; q leaves" in drawn([replace(VIEW, has_ended=True, state="finished")], 80, 24)


def test_hidden_characters_of_a_run_do_not_reach_the_terminal():
    text = drawn([replace(VIEW, message="a\x1b[2Jb", where="pod\x07")], 80, 24)
    assert "\x1b[2J" not in text
    assert "\x07" not in text


@pytest.mark.parametrize(
    ("values", "width", "curve"),
    [([], 9, ""), ([None], 9, ""), ([1.0], 9, "▁"), ([1, 2, 3], 1, ""), ([3, 2, float("inf"), 1], 9, "█▅ ▁")],
)
def test_a_curve_of_few_values(values, width, curve):
    assert sparkline(values, width) == curve


def test_a_long_curve_is_as_wide_as_there_is_room():
    curve = sparkline(list(range(1000)), 20)
    assert (len(curve), curve[0], curve[-1]) == (20, "▁", "█")


def test_lines_are_printed_for_what_is_new():
    state, epoch = changes(None, VIEW)
    assert state == "3f2a91bc e3nn std running, attempt 2"
    assert epoch.startswith("3f2a91bc e3nn std epoch 10/100, loss 0.1000, val 0.1100, score 1.090, 1,234 crystals/s")
    assert list(changes(VIEW, VIEW)) == []
    ended = replace(VIEW, state="failed", has_ended=True, message="out of memory")
    assert list(changes(VIEW, ended)) == ["3f2a91bc e3nn std failed, attempt 2: out of memory"]
    (line,) = changes(VIEW, replace(VIEW, points=points(11)))
    assert line.startswith("3f2a91bc e3nn std epoch 11/100, loss 0.0909, ")
    assert "band_gap 0.1818" in line
