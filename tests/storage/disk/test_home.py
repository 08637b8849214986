"""Home directories that do not exist, wherever a path may be given, and for downloads and graphs."""

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


def test_a_user_without_a_home_needs_a_folder_for_downloads(monkeypatch, capsys):
    """As one of a container may be, whose number is in no list of users."""
    for name in ("HOME", "XDG_CACHE_HOME", "PHASE2_CACHE_DIR", "PHASE2_STORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)
    assert main(["data", "list"]) == 2
    assert "PHASE2_CACHE_DIR" in capsys.readouterr().err
    assert main(["doctor"]) == 2
    printed = capsys.readouterr()
    assert "temporary files" in printed.out, "the other checks are made all the same"
    assert "PHASE2_CACHE_DIR" in printed.err
