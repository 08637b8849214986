"""The cache of baselines: found again, never trusted when damaged, and never the end of a run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from phase2.baselines import boosting
from phase2.baselines.cache import cached_baselines
from phase2.baselines.fitting import FOLDER, fit_baselines
from phase2.errors import PreemptedError
from phase2.machine import headroom
from phase2.runs.records.baselines import PropertyBaseline
from phase2.training.interruption import StopRequest

KEY = "ab" * 32
FOUND = (
    PropertyBaseline(
        key="ehull",
        unit="eV/atom",
        train_labels=40,
        median_val_mae=0.2,
        median_test_mae=None,
        boosting_val_mae=1 / 3,
        boosting_test_mae=None,
    ),
)


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    monkeypatch.setattr(boosting, "SETTINGS_BY_SIZE", {0: {"max_iter": 20, "max_features": 0.1}})


def refuse():
    raise AssertionError("computed although it is cached")


def test_the_second_time_they_come_from_the_cache(tmp_path, notes):
    folder = tmp_path / "deep" / "cache"
    assert cached_baselines(folder, KEY, lambda: FOUND, notify=notes.append) == FOUND
    assert cached_baselines(folder, KEY, refuse, notify=notes.append) == FOUND
    assert cached_baselines(folder, "cd" * 32, tuple, notify=notes.append) == ()
    assert not notes


DAMAGES = {
    "empty": lambda text: "",
    "truncated": lambda text: text[: len(text) // 2],
    "another digit": lambda text: text.replace("0.2", "0.1"),
    "another number of labels": lambda text: text.replace("40", "41"),
    "another key": lambda text: text.replace(KEY, KEY[:32] + "ef" * 16),
    "no digest": lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != "digest"}),
    "other content": lambda text: "[]",
    "of a newer version": lambda text: text.replace('"schema_version": 1', '"schema_version": 2'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_computed_again_and_replaced(tmp_path, notes, damage):
    cached_baselines(tmp_path, KEY, lambda: FOUND, notify=notes.append)
    (file,) = tmp_path.iterdir()
    whole = file.read_text()
    file.write_text(DAMAGES[damage](whole))
    assert file.read_text() != whole
    computed = []

    def compute():
        computed.append(FOUND)
        return FOUND

    assert cached_baselines(tmp_path, KEY, compute, notify=notes.append) == FOUND
    assert computed
    assert file.read_text() == whole


def test_a_folder_that_cannot_be_written_costs_a_line(tmp_path, notes):
    (tmp_path / "file").write_text("no folder")
    assert cached_baselines(tmp_path / "file" / "cache", KEY, lambda: FOUND, notify=notes.append) == FOUND
    assert "not cached" in notes[0]


PROCESS = """
import sys
from pathlib import Path
from phase2.baselines.boosting import SETTINGS
from phase2.baselines.cache import cached_baselines
from tests.baselines.test_cache import FOUND, KEY
for _ in range(100):
    assert cached_baselines(Path(sys.argv[1]), KEY, lambda: FOUND, notify=print) == FOUND
    (Path(sys.argv[1]) / f"{KEY[:32]}.json").unlink(missing_ok=True)
"""


def test_several_processes_share_a_cache(tmp_path):
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", PROCESS, str(tmp_path)]
    processes = [
        subprocess.Popen(
            command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(3)
    ]
    for process in processes:
        said, _ = process.communicate(timeout=120)
        assert (process.returncode, said) == (0, "")


def test_baselines_of_a_data_set_are_cached_by_its_content(dataset, load, tmp_path, notes):
    first = fit_baselines(dataset, notify=notes.append, cache=tmp_path)
    assert [baseline.key for baseline in first] == [p.key for p in dataset.properties]
    again = fit_baselines(dataset, notify=notes.append, check_stop=refuse, cache=tmp_path)
    assert again == first
    assert len(notes) == 1
    other = fit_baselines(load(140), notify=notes.append, cache=tmp_path)
    assert other != first
    assert len(list((tmp_path / FOLDER).iterdir())) == 2


def test_errors_stand_beside_those_of_the_median(dataset, tmp_path, notes):
    for baseline in fit_baselines(dataset, notify=notes.append, cache=tmp_path):
        assert baseline.train_labels == dataset.label_counts()["train"][baseline.key]
        assert baseline.boosting_val_mae is not None
        assert baseline.boosting_val_mae != baseline.median_val_mae
        assert baseline.boosting_test_mae != baseline.boosting_val_mae


def test_a_tiny_data_set_has_none(load, tmp_path, notes):
    assert fit_baselines(load(12), notify=notes.append, cache=tmp_path) == ()


def test_a_stop_leaves_no_file(dataset, tmp_path, notes):
    stop = StopRequest()
    stop.request("SIGTERM")
    with pytest.raises(PreemptedError):
        fit_baselines(dataset, notify=notes.append, check_stop=stop.check, cache=tmp_path)
    assert not (tmp_path / FOLDER).exists()


def test_a_failure_costs_the_baselines_alone(dataset, tmp_path, notes, monkeypatch):
    monkeypatch.setattr(boosting, "SETTINGS_BY_SIZE", {0: {"max_iter": -1}})
    assert fit_baselines(dataset, notify=notes.append, cache=tmp_path) == ()
    assert "InvalidParameterError" in notes[-1]
    assert not (tmp_path / FOLDER).exists()


def test_too_little_memory_costs_the_baselines_alone(dataset, tmp_path, notes, monkeypatch):
    monkeypatch.setattr(headroom, "memory_limit", lambda: 2**20)
    assert fit_baselines(dataset, notify=notes.append, cache=tmp_path) == ()
    (note,) = notes
    assert "MemoryError: it needs 91 MiB, and the memory limit leaves 0 MiB" in note
    assert not (tmp_path / FOLDER).exists()  # more memory gives them
    monkeypatch.setattr(headroom, "memory_limit", lambda: 2**50)
    assert fit_baselines(dataset, notify=notes.append, cache=tmp_path)


WITHOUT = """
import sys
sys.modules["sklearn"] = None  # as if it were not installed
from phase2.baselines.fitting import fit_baselines
print(fit_baselines(None, notify=print))
"""


def test_without_scikit_learn_there_is_a_note():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "()"
    assert "phase2[train]" in done.stdout
