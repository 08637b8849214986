"""``phase2 runs`` and ``phase2 pull`` as commands, on buckets of real servers."""

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from phase2.runs.layout import RunDirectory
from phase2.runs.publish.deletion import delete_run
from phase2.runs.records.manifest import read_manifest
from phase2.runs.remote.checkpoints import RemoteCheckpoints
from phase2.storage.urls import open_store
from phase2.testing.finished_run import finished_run

FILES = {"best.pt": b"w" * 5000, "parity.png": b"png"}
DAY = timedelta(days=1)


@pytest.fixture
def store(server, new_store, monkeypatch):
    """An empty bucket that the commands use."""
    found = new_store(server)
    monkeypatch.setenv("PHASE2_STORE", found.url)
    return found


@pytest.fixture
def train(tmp_path):
    """Make a finished run of some age with the given manifest fields."""

    def make(name, *, days=0, **fields):
        made = finished_run(tmp_path / "models", FILES)
        run = RunDirectory(made.path.rename(made.path.with_name(f"{made.name.rpartition('_')[0]}_{name}")))
        manifest = read_manifest(run.manifest)
        then = datetime.now(UTC) - days * DAY
        attempts = tuple(a.model_copy(update={"start": then, "end": then}) for a in manifest.attempts)
        manifest.model_copy(update={"run_id": name, "attempts": attempts, **fields}).seal(run)
        return run

    return make


@pytest.fixture
def runs(say, store, train):
    """Four published runs, the newest first, and an unfinished one."""
    made = [
        train("fine"),
        train("old", days=40, score=0.1, family="multitask_lite_e3nn", algorithm="e3nn", mode="lite"),
        train("poor", days=60, score=0.9, properties=("band_gap",)),
        train("failed", days=90, status="failed"),
    ]
    for run in made:
        code, done, _ = say("runs", "publish", run.path, "--json")
        assert (code, done["uploaded"], done["already"]) == (0, len(FILES) + 2, False)
    config = json.loads(made[0].run_config.read_text()) | {"run_id": "begun"}
    store.put("multitask_cgcnn/run_20200101T000000Z_begun/run_config.json", json.dumps(config).encode())
    return made


def names(listed):
    return [run["prefix"].rpartition("_")[2] for run in listed]


def test_every_filter_selects(say, runs):
    def listed(*words):
        code, found, _ = say("runs", "list", *words, "--json")
        assert code == 0
        return names(found)

    everything = ["begun", "fine", "old", "poor", "failed"]  # a begun run counts from when its configuration was made
    assert sorted(listed()) == sorted(everything)
    assert [name for name in listed() if name != "begun"] == everything[1:]
    assert listed("--algorithm", "e3nn") == listed("--level", "lite") == ["old"]
    assert listed("--family", "multitask_lite_e3nn") == ["old"]
    assert listed("--status", "failed") == ["failed"]
    assert listed("--status", "unfinished") == ["begun"]
    assert listed("--status", "running") == []
    assert "poor" not in listed("--property", "bulk_modulus")
    assert listed("--until", "30d") == ["old", "poor", "failed"]
    assert listed("--since", "50d", "--status", "finished") == ["fine", "old"]
    assert listed("--since", f"{datetime.now(UTC) - 50 * DAY:%Y-%m-%d}", "--until", "1w") == ["old"]
    assert len(listed("--limit", "2")) == 2
    assert sorted(listed("--rebuild")) == sorted(everything)


def test_show_best_and_compare(say, store, runs):
    whole = json.loads(runs[1].manifest.read_text())
    for name in ("old", f"{store.url}/multitask_lite_e3nn/{runs[1].path.name}"):
        assert say("runs", "show", name, "--json")[:2] == (0, whole)
    code, printed, _ = say("runs", "show", "old")
    assert code == 0
    for wanted in ("best.pt", "5,000", "attempts", "ran on", "test", whole["place"]["host"]):
        assert wanted in printed
    code, _, error = say("runs", "best", "--json")
    assert code == 2, "runs of other properties do not compare"
    assert "--for band_gap" in error
    assert sorted(names(say("runs", "best", "--for", "band_gap", "--json")[1])) == ["fine", "old", "poor"]
    assert names(say("runs", "best", "--property", "bulk_modulus", "--json")[1]) == ["old", "fine"]
    assert names(say("runs", "best", "--property", "bulk_modulus", "--limit", "1", "--json")[1]) == ["old"]
    code, rows, _ = say("runs", "compare", "old", "poor", "--json")
    assert code == 0
    assert list(rows[0]["values"].values()) == [0.1, 0.9]
    assert say("runs", "compare", "old", "poor")[0] == 0


def test_show_reports_the_progress_of_an_unfinished_run(say, store, runs):
    prefix = "multitask_cgcnn/run_20200101T000000Z_begun"
    code, facts, _ = say("runs", "show", "begun", "--json")
    assert (code, facts["prefix"], facts["status"], facts["attempts"], facts["checkpoint"]) == (
        0, prefix, "unfinished", [], None
    )  # fmt: skip
    digest = hashlib.sha256(b"weights").hexdigest()
    RemoteCheckpoints(store, prefix).add(b"weights", sha256=digest, step=480, epoch=12, host="pod-7")
    store.put(f"{prefix}/.checkpoints/attempts.json", runs[0].attempts)
    code, facts, _ = say("runs", "show", "begun", "--json")
    assert (code, facts["checkpoint"]["step"], facts["checkpoint"]["host"], len(facts["attempts"])) == (
        0,
        480,
        "pod-7",
        1,
    )
    code, printed, _ = say("runs", "show", "begun")
    assert code == 0
    for wanted in ("unfinished", "epoch 12, step 480", "outcome"):
        assert wanted in printed
    code, printed, error = say("runs", "verify", "begun")
    assert (code, printed) == (2, "")
    assert "no manifest" in error


def test_verify_reports_missing_damaged_and_extra_files(say, store, runs):
    prefix = f"multitask_cgcnn/{runs[0].name}"
    store.put(f"{prefix}/.checkpoints/epoch_1.pt", b"c")
    whole = {"run": prefix, "intact": True, "missing": [], "damaged": [], "extra": []}
    assert say("runs", "verify", "fine", "--json")[:2] == (0, whole)
    store.put(f"{prefix}/notes.txt", b"mine")
    assert say("runs", "verify", "fine", "--json")[:2] == (0, whole | {"extra": ["notes.txt"]})
    store.put(f"{prefix}/best.pt", b"v" * 5000)
    store.delete(f"{prefix}/parity.png")
    code, result, error = say("runs", "verify", "fine", "--json")
    assert code == 3
    harm = {"intact": False, "missing": ["parity.png"], "damaged": ["best.pt"], "extra": ["notes.txt"]}
    assert result == whole | harm
    assert "not whole: 1 missing, 1 damaged" in error


def test_delete_and_prune(say, store, runs):
    prefixes = {name: f"{read_manifest(run.manifest).family}/{run.name}" for run in runs for name in [run.run_id]}
    code, removed, _ = say("runs", "delete", "fine", "--yes", "--json")
    assert (code, removed) == (0, {"removed": [prefixes["fine"]]})
    keep = ["runs", "prune", "--keep-best", "1", "--older-than", "30d", "--json"]
    gone = [prefixes["failed"]]  # the others are each the best of its kind
    assert say(*keep, "--dry-run")[:2] == (0, {"dry_run": True, "removed": gone})
    assert set(names(say("runs", "list", "--json")[1])) == {"old", "poor", "failed", "begun"}
    assert say(*keep, "--yes")[:2] == (0, {"dry_run": False, "removed": gone})
    assert say(*keep, "--yes")[:2] == (0, {"dry_run": False, "removed": []})
    assert say("runs", "prune", "--older-than", "50d", "--yes", "--json")[1]["removed"] == [prefixes["poor"]]
    assert set(names(say("runs", "list", "--json")[1])) == {"old", "begun"}
    assert not [info.key for info in store.list() for name in ("fine", "failed", "poor") if f"_{name}" in info.key]
    assert say("runs", "delete", "begun", "--yes")[0] == 0
    assert names(say("runs", "list", "--json")[1]) == ["old"]


def test_pull_downloads_the_requested_files(say, runs, tmp_path):
    run = runs[0]
    code, pulled, _ = say("pull", "fine", "--to", tmp_path / "here", "--json")
    folder = tmp_path / "here" / run.family / run.name
    assert (code, pulled) == (0, {"run": f"{run.family}/{run.name}", "paths": [str(folder)]})
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {p.name: p.read_bytes() for p in run.path.iterdir()}
    code, pulled, _ = say("pull", "fine", "--to", tmp_path / "one", "--only", "best.pt", "--json")
    assert code == 0
    assert [p.name for p in (tmp_path / "one").rglob("*") if p.is_file()] == ["best.pt"]
    assert say("runs", "verify", "fine", "--store", tmp_path / "here", "--json")[1]["intact"]


def test_report_reads_the_bucket_alone(say, store, runs, tmp_path):
    for run in runs:
        shutil.rmtree(run.path)
    target = tmp_path / "report.html"
    address = f"{store.url.rstrip('/')}/multitask_lite_e3nn/{runs[1].name}"
    code, _, said = say("report", "fine", "begun", address, "--output", target)
    assert code == 0, said
    text = target.read_text()
    assert "3 runs side by side" in text
    assert "This run did not finish." in text
    assert f"{store.url.rstrip('/')}/{runs[0].family}/{runs[0].name}" in text


def test_an_unknown_name_offers_the_nearest(say, runs):
    code, printed, error = say("runs", "show", "fien", "--json")
    assert (code, printed) == (2, "")
    assert "Did you mean 'fine'?" in error


def test_an_empty_store_has_no_runs(say, store):
    assert say("runs", "list", "--json")[:2] == (0, [])
    assert say("runs", "prune", "--older-than", "1d", "--json")[:2] == (0, {"dry_run": False, "removed": []})
    for words in (
        ["runs", "best"],
        ["runs", "show", "x"],
        ["runs", "verify", "latest"],
        ["pull", "best"],
        ["runs", "delete", "x"],
    ):
        code, printed, error = say(*words, "--json")
        assert (code, printed) == (2, "")
        assert error.startswith("error: There is no ")


@pytest.mark.parametrize("words", [["runs", "list"], ["runs", "verify", "x"], ["pull", "x"]], ids=" ".join)
def test_a_missing_bucket_exits_with_2(say, store, words, monkeypatch):
    monkeypatch.setenv("PHASE2_STORE", "s3://no-such-bucket/runs")
    code, printed, error = say(*words, "--json")
    assert (code, printed) == (2, "")
    assert "no-such-bucket" in error


@pytest.mark.slow
def test_an_unresponsive_server_exits_with_75(say, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    code, printed, _ = say("runs", "list", "--store", "s3://bucket/runs", "--json")
    assert (code, printed) == (75, "")


@pytest.mark.slow
def test_a_killed_pull_resumes(say, store, tmp_path):
    big = {f"part_{i}": os.urandom(40 << 20) for i in range(4)}
    run = finished_run(tmp_path / "models", big)
    assert say("runs", "publish", run.path)[0] == 0
    folder = tmp_path / "here" / run.family / run.name
    command = [sys.executable, "-m", "phase2", "pull", run.run_id, "--to", str(tmp_path / "here")]
    pulling = subprocess.Popen(command)
    while not any(re.fullmatch(r"part_\d", p.name) for p in folder.glob("part_*")) and pulling.poll() is None:
        time.sleep(0.001)
    pulling.send_signal(signal.SIGKILL)
    assert pulling.wait() == -signal.SIGKILL
    assert not (folder / "run_manifest.json").exists()
    complete = {path: path.stat().st_ino for path in folder.glob("part_*") if not path.name.endswith(".part")}
    assert complete
    for path in complete:  # is not asked for again: the store could not give it
        store.delete(f"{run.family}/{run.name}/{path.name}")
    assert say("pull", run.run_id, "--to", tmp_path / "here")[0] == 0
    assert {path: path.stat().st_ino for path in complete} == complete
    assert {p.name: p.read_bytes() for p in folder.glob("part_*")} == big
    here = open_store(tmp_path / "here")
    assert say("runs", "verify", run.run_id, "--store", tmp_path / "here", "--json")[1]["intact"]
    assert delete_run(here, f"{run.family}/{run.name}")
