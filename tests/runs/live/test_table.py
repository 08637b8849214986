"""Lines of text for people, which phase2 reads again: what is printed is what is read."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.output.durations import parse_short_duration, short_duration
from phase2.properties import KEYS
from phase2.runs.live.log_progress import LogProgress
from phase2.runs.live.points import EpochPoint, best_point, thinned
from phase2.runs.live.table import begin_line, epoch_line, heading, shown_keys, step_line
from phase2.runs.records.history import EpochRow


def row(epoch=3, **changes):
    numbers = {
        "epoch": epoch,
        "step": 10 * epoch,
        "lr": 1e-3,
        "train_loss": 0.51234567,
        "val_loss": 0.6,
        "val_score": 0.7123,
        "val_mae": {"formation_energy": 0.123456, "band_gap": None},
        "seconds": 12.34,
        "structures_per_second": 1234.4,
        "data_wait": 0.1,
    }
    return EpochRow(**(numbers | changes))


def line(of, *, epochs=40, best=False, left=330.0):
    return epoch_line(of, list(of.val_mae), epochs=epochs, best=best, left=left)


def test_the_columns_stand_under_their_heading():
    names, units = heading(["formation_energy", "band_gap"])
    shown = line(row(), best=True)
    assert len(names) == len(units) == len(shown)
    assert shown.split() == ["3/40", "0.5123", "0.6000", "0.712*", "1,234", "12.3s", "5m30s", "0.1235", "-"]
    assert " ".join(names.split()) == "epoch loss val score crystals/s time left formation_energy band_gap"
    assert units.split()[-2:] == ["eV/atom", "eV"]
    assert len(line(row(epoch=4, val_score=11.5, seconds=7200.0), left=None)) == len(names)


@pytest.mark.parametrize("width", [40, 57, 80, 100, 120, 200])
def test_a_narrow_terminal_gets_the_columns_that_fit(width):
    keys = shown_keys(KEYS, width)
    assert keys == list(KEYS[: len(keys)])
    if keys:
        assert len(heading(keys)[0]) <= width
    if len(keys) < len(KEYS):
        assert len(heading(KEYS[: len(keys) + 1])[0]) > width
    assert shown_keys(KEYS, None) == list(KEYS)


@given(
    st.integers(1, 999),
    st.floats(0, 99),
    st.floats(0, 1e6),
    st.dictionaries(st.sampled_from(KEYS), st.none() | st.floats(0, 1e7)),
    st.floats(0, 1e9),
)
def test_what_is_printed_is_read_again(epoch, loss, seconds, mae, left):
    made = row(epoch, train_loss=loss, seconds=seconds, val_mae=mae, structures_per_second=seconds)
    progress = LogProgress()
    for each in (*heading(list(mae)), line(made, epochs=1000, left=left)):
        progress.feed(each, at=100.0)
    (read,) = progress.points
    assert (progress.epoch, progress.epochs) == (epoch, 1000)
    assert read.train_loss == pytest.approx(loss, abs=1e-4, rel=1e-2)
    assert read.seconds == pytest.approx(seconds, abs=0.06, rel=0.04)
    assert read.rate == pytest.approx(seconds, abs=0.51)
    assert read.mae == {key: None if value is None else pytest.approx(value, rel=1e-3) for key, value in mae.items()}
    assert progress.eta(100.0) == pytest.approx(left, abs=0.51, rel=0.04)
    assert progress.eta(110.0) == pytest.approx(max(0, left - 10), abs=0.51, rel=0.04)


def test_json_is_read_as_well_and_its_time_left_follows_from_the_epochs():
    progress = LogProgress()
    progress.feed(begin_line(40, 400, 0), at=0.0)
    for epoch in (1, 2):
        progress.feed(json.dumps({**asdict(row(epoch)), "best": True}), at=50.0)
    assert progress.points == (EpochPoint.of(row(1)), EpochPoint.of(row(2)))
    assert (progress.step, progress.steps, progress.epochs) == (20, 400, 40)
    assert progress.eta(50.0) == pytest.approx(38 * 12.34)


def test_a_long_epoch_says_where_it_is():
    progress = LogProgress()
    progress.feed(begin_line(4, 40_000, 1200), at=0.0)
    assert (progress.step, progress.steps) == (1200, 40_000)
    progress.feed(step_line(4120, 40_000, rate=1234.5, left=3700), at=10.0)
    assert (progress.step, progress.rate, progress.eta(10.0)) == (4120, 1234.0, 3660.0)
    progress.feed(step_line(4121, 40_000, rate=None, left=None), at=10.0)
    assert (progress.step, progress.eta(10.0)) == (4121, None)


def test_a_resumed_run_replaces_the_epochs_that_it_trains_again():
    progress = LogProgress()
    progress.feed(begin_line(10, 100, 0))
    for epoch in (1, 2, 3):
        progress.feed(line(row(epoch, val_mae={}), epochs=10))
    progress.feed(begin_line(10, 100, 12))
    assert [point.epoch for point in progress.points] == [1]
    progress.feed(line(row(2, val_mae={}, val_score=0.2), epochs=10))
    assert best_point(progress.points).epoch == 2


@pytest.mark.parametrize(
    "other",
    [
        "",
        "{",
        "{}",
        "[1]",
        '{"epoch": 1}',
        "data: sample: 1/2 training",
        "  1/2  nonsense",
        "1/2 a b c d e f",
        "  3/40  0.51  0.60  0.71*  1,234  12.3s",
        '{"epoch": 1, "step": 2, "train_loss": "x", "val_loss": 1, "val_score": 1, "val_mae": {}}',
    ],
)
def test_any_other_line_says_nothing(other):
    progress = LogProgress()
    progress.feed(other)
    assert (progress.points, progress.epochs, progress.steps, progress.eta()) == ((), 0, 0, None)


@given(st.floats(0, 1e9))
def test_durations_lose_less_than_their_smaller_unit(seconds):
    read = parse_short_duration(short_duration(seconds))
    assert read <= seconds + 0.5
    assert read >= seconds * 0.95 - 0.51


@given(st.lists(st.integers(), min_size=1, max_size=300), st.integers(2, 50))
def test_thinning_keeps_order_ends_and_size(rows, most):
    kept = thinned(rows, most)
    assert (kept[0], kept[-1]) == (rows[0], rows[-1])
    assert len(kept) == min(len(rows), most)


def test_the_heading_names_no_mae_where_one_is_a_log_loss():
    assert "val MAE in" in heading(["band_gap"])[1]
    names, below = heading(["band_gap", "metal"], {"metal": "log loss"})
    assert below.split() == ["val", "error", "in", "eV", "log", "loss"]
    assert len(below) == len(names)
