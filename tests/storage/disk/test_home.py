"""Homes of users that do not exist, wherever a path may be given."""

from pathlib import Path

import pytest

from phase2.cli import main
from phase2.storage.disk.home import expand_home

UNKNOWN = "~nobody-has-this-name/x"


def test_a_known_home_is_put_in_and_an_unknown_one_stays(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert expand_home("~/runs") == Path("/home/somebody/runs")
    assert expand_home(UNKNOWN) == Path(UNKNOWN)
    assert expand_home("runs/~") == Path("runs/~")


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "--cif", "x.cif", "--model", UNKNOWN],
        ["predict", "--dir", UNKNOWN],
        ["evaluate", "--model", UNKNOWN],
        ["embed", "--cif", "x.cif", "--model", UNKNOWN, "--output", "x.npz"],
        ["report", UNKNOWN],
        ["runs", "list", "--store", UNKNOWN],
        ["runs", "show", UNKNOWN],
        ["train", "--algorithm", "cgcnn", "--data", UNKNOWN],
        ["train", "--algorithm", "cgcnn", "--from", UNKNOWN],
        ["train", "--algorithm", "cgcnn", "--level", "smoke", "--split", f"file:{UNKNOWN}"],
        ["train", "--algorithm", "cgcnn", "--resume", UNKNOWN],
        ["submit", "--data", UNKNOWN, "--image", "phase2:1", "--dry-run"],
        ["data", "describe", UNKNOWN],
    ],
    ids=lambda words: " ".join(words[:1] + words[-2:-1]),
)
def test_a_path_below_it_is_one_that_does_not_exist(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PHASE2_STORE", raising=False)
    assert main(words) in {2, 3, 4}
    said = capsys.readouterr().err
    assert UNKNOWN in said
    assert "Internal error" not in said
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("~")] == []
