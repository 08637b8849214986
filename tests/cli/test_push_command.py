"""``phase2 data push``, ``list``, ``pull`` and ``prune``, and ``--data`` with what was pushed."""

import json
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from tests.data.sources.optimade_server import OptimadeServer

from phase2.cli.cluster.options import ClusterArguments
from phase2.cli.cluster.submission.local_data import data_for_pods
from phase2.cluster.request.options import ClusterOptions
from phase2.config.request.run_request import RunRequest

SMALL = ["--algorithm", "cgcnn", "--level", "smoke", "--epochs", "1", "--properties", "formation_energy"]


def write_lines(path: Path, count: int, first: float = 0.0) -> Path:
    """Write crystals of rock salt with labels as JSON lines."""
    rng = np.random.default_rng(0)
    with path.open("w") as file:
        for k in range(count):
            edge = float(rng.uniform(3.5, 5))
            atoms = {
                "lattice_mat": [[edge, 0, 0], [0, edge, 0], [0, 0, edge]],
                "coords": [[0, 0, 0], [0.5, 0.5, 0.5]],
                "elements": ["Na", "Cl"],
                "cartesian": False,
            }
            file.write(json.dumps({"id": f"c{k}", "atoms": atoms, "formation_energy": first - edge}) + "\n")
    return path


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Give the process another machine: an empty cache, and a folder of its own to work in."""

    def use(name):
        home = tmp_path / name
        home.mkdir(exist_ok=True)
        monkeypatch.setenv("PHASE2_CACHE_DIR", str(home / "cache"))
        monkeypatch.chdir(home)
        return home

    return use


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def pushed(say, machine, store):
    """Address of a data set that was pushed with a name from a machine."""
    home = machine("mine")
    write_lines(home / "salts.jsonl", 40)
    code, out, err = say("data", "push", "salts.jsonl", "--name", "salts")
    assert code == 0, err
    assert "use it: --data salts" in err
    return out.strip()


def age(store, days):
    """Make everything in a store older."""
    then = time.time() - days * 86_400
    for path in store.rglob("*"):
        os.utime(path, (then, then))


def test_pushed_twice_it_says_so_and_stores_nothing(say, pushed, store):
    before = sorted(store.rglob("*"))
    code, out, err = say("data", "push", "salts.jsonl", "--name", "salts")
    assert (code, out.strip()) == (0, pushed)
    assert "already in" in err
    assert "nothing was stored" in err
    assert sorted(store.rglob("*")) == before


def test_a_taken_name_is_refused_before_anything_is_stored_unless_it_is_replaced(say, pushed, store):
    before = sorted(store.rglob("*"))
    write_lines(Path("other.jsonl"), 20)
    code, _, err = say("data", "push", "other.jsonl", "--name", "salts")
    assert (code, "--replace" in err) == (2, True)
    assert sorted(store.rglob("*")) == before
    code, out, _ = say("data", "push", "other.jsonl", "--name", "salts", "--replace")
    assert code == 0
    code, rows, _ = say("data", "list", "--json")
    assert {row["address"]: row["names"] for row in rows} == {pushed: [], out.strip(): ["salts"]}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["sample"], 2, "comes with phase2"),
        (["nothing.jsonl"], 3, "There is no 'nothing.jsonl'"),
        (["salts.jsonl", "--name", "a/b"], 2, "cannot be the name"),
    ],
)
def test_what_cannot_be_pushed_is_refused(say, pushed, words, code, said):
    found, _, err = say("data", "push", *words)
    assert (found, said in err) == (code, True), err


def test_without_a_store_the_list_is_that_of_the_folder_of_runs(say, pushed, monkeypatch):
    monkeypatch.delenv("PHASE2_STORE")
    assert "file:" not in say("data", "list")[1]
    assert say("data", "list", "--json")[1] == []
    assert say("data", "push", "salts.jsonl", "--name", "here", "--store", "models")[0] == 0
    assert "here" in say("data", "list")[1].split()
    assert [row["names"] for row in say("data", "list", "--json")[1]] == [["here"]]


def test_without_a_store_it_says_how_to_name_one(say, pushed, monkeypatch):
    monkeypatch.delenv("PHASE2_STORE")
    for words in (["push", "salts.jsonl"], ["prune"], ["pull", "salts"]):
        code, _, err = say("data", *words)
        assert (code, "PHASE2_STORE" in err) == (2, True)
    code, _, err = say("data", "describe", "--data", pushed)
    assert (code, "no store is known" in err) == (2, True)


def test_the_name_and_the_address_work_in_every_command_of_another_machine(say, pushed, machine, store, monkeypatch):
    machine("another")
    assert say("data", "describe", "--data", "salts")[1].startswith("salts: 40 crystals")
    assert "40 crystals ready" in say("data", "prepare", "--data", pushed[:20])[1]
    code, out, _ = say("explain", *SMALL, "--data", "salts", "--yaml")
    assert (code, pushed in out) == (0, True)  # what the name means now
    assert say("train", *SMALL, "--data", "salts", "--dry-run")[0] == 0
    monkeypatch.delenv("PHASE2_STORE")
    assert say("data", "describe", "--data", "salts", "--store", store)[0] == 0
    assert say("train", *SMALL, "--data", "salts", "--dry-run", "--store", store)[0] == 0


def test_a_store_that_is_named_has_the_data_of_models_and_conversions(say, pushed, machine, store, monkeypatch):
    home = machine("another")
    code, _, error = say("train", *SMALL, "--data", "salts")
    assert code == 0, error
    machine("third")  # where nothing is in the cache
    monkeypatch.delenv("PHASE2_STORE")
    assert say("evaluate", "--model", "latest", "--store", store, "--resamples", 0)[0] == 0
    machine("fourth")
    code, printed, _ = say("evaluate", "--store", store, "--data", "salts", "--resamples", 0, "--format", "json")
    assert (code, json.loads(printed)["crystals"] > 0) == (0, True)
    assert say("data", "convert", "salts", home / "salts.extxyz", "--store", store)[0] == 0


def test_submit_names_files_of_this_machine_by_their_content(say, pushed, store, monkeypatch):
    submit = ["submit", "--image", "phase2:1", "--namespace", "runs", "--store", "s3://bucket/runs", "--dry-run"]
    code, _, err = say(*submit, *SMALL, "--data", "salts.jsonl")
    assert (code, "phase2 data push salts.jsonl --store s3://bucket/runs" in err, "--push" in err) == (2, True, True)
    code, out, err = say(*submit, *SMALL, "--data", "salts.jsonl", "--push")
    assert (code, f"--data {pushed}" in out) == (0, True), err
    code, out, err = say(*submit, *SMALL, "--data", pushed)
    assert (code, f"--data {pushed}" in out) == (0, True), err
    code, out, err = say(*submit, *SMALL, "--data", "s3://other/my/folder")
    assert (code, "--data s3://other/my/folder" in out) == (0, True), err
    sweep = ["sweep", *submit[1:], *SMALL[:4], "--epochs", "1,2", "--name", "two"]
    code, out, err = say(*sweep, "--data", "salts.jsonl", "--push")
    assert (code, out.count(f"--data {pushed}") >= 2) == (0, True), err
    monkeypatch.delenv("PHASE2_STORE")
    code, _, err = say("submit", *SMALL, "--image", "phase2:1", "--dry-run", "--data", "salts.jsonl", "--push")
    assert (code, "no store is known" in err) == (2, True)


def test_structures_of_a_server_are_pushed_and_not_fetched_by_each_pod(say, machine, store):
    machine("mine")
    with OptimadeServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"optimade:{server.url}/?page_limit=3"
        for words in (["submit"], ["sweep", "--name", "two"], ["submit", "--backend", "argo"]):
            submit = [*words, *SMALL, "--image", "phase2:1", "--namespace", "runs", "--dry-run", "--data", address]
            code, _, err = say(*submit)
            assert (code, "is not fetched by pods" in err, "phase2 data push" in err) == (2, True, True), err
        assert server.asked == []
        code, out, err = say("data", "push", address)
        assert (code, out[:7]) == (0, "sha256:"), err
        code, shown, err = say(*submit, "--push")
        assert (code, out.strip() in shown) == (0, True), err
        server.shutdown()


def test_data_for_pods_are_pushed_once_nothing_refuses_the_request(say, machine, store, capsys):
    home = machine("mine")
    write_lines(home / "salts.jsonl", 20)
    cluster = ClusterArguments(ClusterOptions(), "runs", None)
    request, push_data = data_for_pods(RunRequest(data="salts.jsonl"), cluster, push=True, dry_run=False)
    assert say("data", "list", "--json")[1] == []
    push_data()
    assert f"data: {request.data}: pushed" in capsys.readouterr().err
    assert [row["address"] for row in say("data", "list", "--json")[1]] == [request.data]
    push_data()
    assert "in the store already" in capsys.readouterr().err


def test_the_first_step_of_a_workflow_refuses_data_that_are_not_there(say, pushed, store):
    Path("out").mkdir()
    words = ["workflow", "validate", *SMALL, "--store", str(store), "--to", "out"]
    code, _, err = say(*words, "--data", "salts")
    assert code == 0, err
    code, _, err = say(*words, "--data", f"sha256:{'0' * 64}")
    assert (code, "There is no data set" in err) == (2, True)
    code, _, err = say(*words, "--data", "salt")
    assert (code, "Did you mean 'salts'?" in err) == (2, True)


def test_pulled_it_is_what_was_pushed(say, pushed, machine):
    content = Path("salts.jsonl").read_bytes()
    home = machine("another")
    code, out, err = say("data", "pull", "salts", "--output", "here")
    assert (code, out.strip()) == (0, "here/salts.jsonl"), err
    assert (home / "here/salts.jsonl").read_bytes() == content
    code, _, err = say("data", "pull", "salts", "--output", "here")
    assert (code, "there already" in err) == (2, True)


def test_what_nothing_uses_is_pruned_once_it_is_old_and_said(say, pushed, store):
    write_lines(Path("other.jsonl"), 20)
    other = say("data", "push", "other.jsonl")[1].strip()
    assert say("data", "prune", "--json")[1]["removed"] == []
    code, out, err = say("data", "prune")
    assert (code, out) == (0, "0 data sets would be removed, 0.0 MB\n")
    assert "--delete" not in err
    age(store, 8)
    code, out, err = say("data", "prune")
    assert "1 data set would be removed" in out
    assert "--delete removes" in err
    assert say("data", "prune", "--json")[1] == {"dry_run": True, "removed": [other]}
    assert len(say("data", "list", "--json")[1]) == 2
    assert say("data", "prune", "--delete")[0] == 2  # nobody to ask
    assert say("data", "prune", "--delete", "--yes", "--json")[1] == {"dry_run": False, "removed": [other]}
    assert [row["address"] for row in say("data", "list", "--json")[1]] == [pushed]
    assert ": 1 data set " in say("data", "list")[1]
    code, _, err = say("data", "prune", "--forget", "salt", "--delete", "--yes")
    assert (code, "no name 'salt'" in err) == (2, True)
    assert say("data", "prune", "--forget", "salts", "--delete", "--yes", "--json")[1]["removed"] == [pushed]
    assert not list((store / "data").rglob("*.json"))


@pytest.mark.slow
def test_a_run_is_repeated_bit_for_bit_from_the_address_in_its_manifest(say, pushed, machine, store):
    """First from the file of a person, whose manifest names its content, and then on a machine without it."""
    code, _, err = say("train", *SMALL, "--data", "salts.jsonl", "--output", "models")
    assert code == 0, err
    (first,) = Path("models").resolve().rglob("run_manifest.json")
    one = json.loads(first.read_text())
    assert one["data"]["address"] == pushed
    assert say("data", "list", "--json")[1][0]["runs"] == [one["run_id"]]
    shown = " ".join(say("runs", "show", one["run_id"])[1].split())
    assert f"--data {pushed}" in shown
    age(store, 30)
    assert say("data", "prune", "--forget", "salts", "--json")[1]["removed"] == []  # a run uses it
    machine("another")
    code, _, err = say("train", *SMALL, "--data", one["data"]["address"], "--output", "models")
    assert code == 0, err
    (second,) = Path("models").resolve().rglob("run_manifest.json")
    two = json.loads(second.read_text())
    assert two["data"]["fingerprint"] == one["data"]["fingerprint"]
    assert (two["val"], two["test"], two["score"]) == (one["val"], one["test"], one["score"])
