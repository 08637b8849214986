"""``phase2 train --metrics-port``: metrics are served while a run trains, and change nothing of it."""

import json
import socket
import urllib.request
from contextlib import closing

import pytest

from phase2.cli import main
from phase2.runs.records.manifest import read_manifest
from phase2.training.callbacks import default
from phase2.training.callbacks.base import Callback

SMALL = ["train", "--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--epochs", "2"]


def free_port():
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


class Scrape(Callback):
    def __init__(self, port):
        self.port, self.texts = port, []

    def on_step_end(self, event):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as response:
            self.texts.append(response.read().decode())


@pytest.fixture
def scrape(monkeypatch):
    """A callback of ``phase2 train`` that reads the metrics of its own process after every step."""
    reader, shown = Scrape(free_port()), default.default_callbacks
    monkeypatch.setattr(default, "default_callbacks", lambda lines: [*shown(lines), reader])
    return reader


@pytest.mark.parametrize("by", ["option", "variable"])
def test_metrics_are_served_while_a_run_trains_and_no_longer(cache, scrape, tmp_path, monkeypatch, by):
    words = [*SMALL, "--output", str(tmp_path)]
    if by == "option":
        words += ["--metrics-port", str(scrape.port)]
    else:
        monkeypatch.setenv("PHASE2_METRICS_PORT", str(scrape.port))
    assert main(words) == 0
    manifest = read_manifest(next(tmp_path.rglob("run_manifest.json")))
    labels = f'algorithm="cgcnn",mode="smoke",run="{manifest.run_id}"'
    assert len(scrape.texts) == json.loads(next(tmp_path.rglob("history.json")).read_text())[-1]["step"]
    step = [line for line in scrape.texts[-1].splitlines() if line.startswith("phase2_training_step{")]
    assert [sorted(line.partition("{")[2].partition("}")[0].split(",")) for line in step] == [labels.split(",")]
    assert "process_resident_memory_bytes" in scrape.texts[0]
    assert "metrics-port" not in " ".join(manifest.command)
    with pytest.raises(OSError, match="refused"):
        scrape.on_step_end(None)


def test_a_port_in_use_is_refused_before_any_work(tmp_path, capsys):
    with closing(socket.socket()) as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main([*SMALL, "--output", str(tmp_path / "runs"), "--metrics-port", str(port)]) == 2
    said = capsys.readouterr().err
    assert f"port {port}" in said
    assert "--metrics-port" in said
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("port", ["70000", "-1"])
def test_a_port_that_is_none_is_refused(tmp_path, capsys, port):
    assert main([*SMALL, "--output", str(tmp_path / "runs"), "--metrics-port", port]) == 2
    assert f"port {port}" in capsys.readouterr().err


def test_an_empty_variable_counts_as_not_given(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_METRICS_PORT", "")
    monkeypatch.setenv("PHASE2_STALL_MINUTES", "")
    assert main([*SMALL, "--output", str(tmp_path)]) == 0
