"""A store whose folder is not there: an error of the commands that only read, and made by those that write."""

import pytest

from phase2.api.runs.run_list import list_runs
from phase2.errors import RequestError
from phase2.testing.finished_run import finished_run

READING = [
    "runs list", "runs list --json", "runs best", "runs show latest", "runs compare a b", "runs verify latest",
    "runs page --out page", "runs serve --port 0", "runs delete latest --yes", "runs prune --older-than 30d --dry-run",
    "report latest", "watch --plain", "pull latest", "predict --run best --cif a.cif", "predict --cif a.cif",
    "data list", "data pull abc", "tune show abc", "runs folds a b", "workflow report a",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    """Nobody's folder, with a store of nearly the name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PHASE2_STORE", raising=False)
    (tmp_path / "results").mkdir()


@pytest.mark.parametrize("words", READING)
def test_what_only_reads_names_the_nearest_folder_and_makes_none(say, tmp_path, words):
    code, printed, error = say(*words.split(), "--store", "resluts")
    assert (code, printed) == (2, "")
    assert f"There is no folder {tmp_path / 'resluts'}." in error
    assert f"Did you mean {tmp_path / 'results'}?" in error
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_a_store_that_the_environment_names_must_be_there_too(say, monkeypatch):
    monkeypatch.setenv("PHASE2_STORE", "resluts")
    code, _, error = say("runs", "list")
    assert code == 2
    assert "Did you mean" in error


def test_programs_read_no_folder_that_is_not_there():
    with pytest.raises(RequestError, match="There is no folder"):
        list_runs("resluts")


def test_without_a_name_there_are_no_runs_yet(say):
    code, _, said = say("runs", "list")
    assert (code, said) == (0, "no run\n")
    assert len(list_runs()) == 0


def test_publishing_makes_the_folder(say, tmp_path):
    finished_run(tmp_path / "models", {"best.pt": b"weights"}, run_id="mine")
    assert say("runs", "publish", "mine", "--store", "new")[0] == 0
    assert say("runs", "show", "mine", "--store", "new")[0] == 0
