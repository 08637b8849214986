"""Laws of the history."""

import json

import pytest

from phase2.runs.records.history import EpochRow, best_row, read_epochs_done, write_history


def row(epoch, score=1.0):
    return EpochRow(epoch, epoch * 4, 1e-3, 0.5, 0.6, score, {"band_gap": 0.3, "ehull": None}, 1.5, 900.0, 0.1)


def test_the_first_of_equal_epochs_is_the_best():
    assert best_row([row(1, 0.9), row(2, 0.7), row(3, 0.7)]).epoch == 2
    assert best_row([]) is None


@pytest.mark.parametrize("epochs", [0, 1, 3])
def test_history_has_one_line_per_row(tmp_path, epochs):
    path = tmp_path / "history.json"
    write_history(path, [row(k + 1) for k in range(epochs)])
    assert [r["epoch"] for r in json.loads(path.read_text())] == list(range(1, epochs + 1))
    assert read_epochs_done(path) == epochs


@pytest.mark.parametrize("text", [None, "", "[{", "3"])
def test_no_history_is_no_epochs(tmp_path, text):
    path = tmp_path / "history.json"
    if text is not None:
        path.write_text(text)
    assert read_epochs_done(path) == 0


def test_numbers_that_are_not_finite_never_reach_the_file(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_history(tmp_path / "history.json", [row(1, float("nan"))])
    assert not (tmp_path / "history.json").exists()
