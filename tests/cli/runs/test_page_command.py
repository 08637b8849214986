"""phase2 runs page and serve."""

import os
import re
import signal
import subprocess
import sys
import urllib.request

import pytest

from phase2.testing.finished_run import finished_run


@pytest.fixture
def store(tmp_path):
    finished_run(tmp_path / "models", {"best.pt": b"weights"}, run_id="mine")
    return tmp_path / "models"


def test_a_page_is_written(say, store, tmp_path):
    out = tmp_path / "page"
    code, printed, _ = say("runs", "page", "--store", store, "--out", out)
    assert (code, printed) == (0, f"1 run, 1 read: written\n{out.as_uri()}/index.html\n")
    assert "Runs in" in (out / "index.html").read_text()
    assert say("runs", "page", "--store", store, "--out", out)[1].startswith("1 run, 0 read: unchanged\n")
    assert say("runs", "page", "--store", store, "--out", out, "--rebuild")[1].startswith("1 run, 1 read: unchanged\n")


def test_it_is_published_into_the_store(say, store, monkeypatch):
    monkeypatch.setenv("PHASE2_STORE", str(store))
    assert say("runs", "page", "--publish", "--store", "")[0] == 0  # as a workflow without a store says it
    assert (store / "page" / "index.html").is_file()
    assert [run["run_id"] for run in say("runs", "list", "--store", store, "--json")[1]] == ["mine"]


@pytest.mark.parametrize("words", [(), ("--publish", "--out", "page")])
def test_one_place_is_needed(say, store, words):
    code, _, err = say("runs", "page", "--store", store, *words)
    assert code == 2
    assert "--publish" in err


@pytest.mark.parametrize("below", ["", "page"])
def test_no_page_is_written_into_a_finished_run(say, store, below):
    (run,) = (path for path in (store / "multitask_cgcnn").iterdir() if path.is_dir())
    before = sorted(run.rglob("*"))
    code, _, err = say("runs", "page", "--store", store, "--out", run / below)
    assert code == 2
    assert "lies in the folder of a finished run" in err
    assert sorted(run.rglob("*")) == before


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc", "https://a/?x=1", "https://a/ b", "runs"])
def test_links_lead_to_the_web_alone(say, store, tmp_path, address):
    code, _, err = say("runs", "page", "--store", store, "--out", tmp_path / "page", "--reports", address)
    assert code == 2
    assert "https://" in err


def test_a_run_that_cannot_be_read_is_named(say, store, tmp_path):
    broken = store / "multitask_cgcnn" / "run_20260101T000000Z_broken"
    broken.mkdir()
    (broken / "run_manifest.json").write_text("{")
    code, printed, err = say("runs", "page", "--store", store, "--out", tmp_path / "page")
    assert code == 0
    assert printed.startswith("1 run, 2 read: written\n")
    assert "run_20260101T000000Z_broken cannot be read" in err


def test_serve_shows_the_page_until_it_is_interrupted(store, tmp_path):
    words = [sys.executable, "-m", "phase2", "runs", "serve", "--store", str(store), "--port", "0"]
    environment = os.environ | {"PHASE2_CACHE_DIR": str(tmp_path / "cache"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://localhost:\d+/", address)
        with urllib.request.urlopen(address.replace("localhost", "127.0.0.1"), timeout=10) as response:
            assert b"Runs in" in response.read()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert process.returncode == 0
    assert err == "Ctrl-C ends it\nended\n"


def test_a_port_that_is_taken_is_named(say, store, tmp_path, monkeypatch):
    import socket

    monkeypatch.setenv("PHASE2_CACHE_DIR", str(tmp_path / "cache"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = say("runs", "serve", "--store", store, "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "--port" in err
