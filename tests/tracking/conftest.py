"""A real MLflow server, servers that hang or refuse, and pages of a run that was never trained."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.runs.layout import RunDirectory
from phase2.runs.records.history import EpochRow
from phase2.tracking.page import run_page

_MLFLOW = "import sys; from mlflow.cli import cli; sys.exit(cli())"


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory):
    """The address of an MLflow server that keeps runs in SQLite and artifacts in a folder."""
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    address = f"http://127.0.0.1:{port}"
    words = ["server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--host", "127.0.0.1"]
    words += ["--artifacts-destination", str(folder / "artifacts"), "--port", str(port), "--workers", "1"]
    # Its workers for background jobs are six processes that nothing here needs.
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    command = [sys.executable, "-c", _MLFLOW, *words]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment, start_new_session=True)
        try:
            _wait(process, f"{address}/health", folder / "log")
            yield address
        finally:
            os.killpg(process.pid, 15)
            process.wait(60)


def _wait(process, url, log, *, seconds=180):
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.2)
    raise AssertionError(log.read_text())


def free_port():
    with contextlib.closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@pytest.fixture
def hanging_server():
    """The address of a server that takes requests and never answers."""
    with contextlib.closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def refusing_server():
    """The address of a server that accepts no token."""

    class Refuse(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(401, "the token is wrong")

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def mlflow_client(mlflow_server, monkeypatch):
    """A client of the server, in an experiment of the test's own."""
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", f"test-{time.time_ns()}")
    monkeypatch.setenv("PHASE2_TRACK_PATIENCE", "200")
    return MlflowClient(mlflow_server)


@pytest.fixture(scope="session")
def cached_graphs(tmp_path_factory):
    """One graph store for all trainings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASE2_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("PHASE2_STORE", raising=False)
        yield


def row(epoch):
    mae = {"formation_energy": 1 / epoch, "band_gap": None}
    return EpochRow(epoch, 4 * epoch, 0.1, 2.0 / epoch, 3.0 / epoch, 0.9 / epoch, mae, 2.5, 100.0, 0.25)


@pytest.fixture
def make_page(tmp_path):
    """Make the page of a run with so many epochs."""

    def make(epochs, *, run_id="abc1", started=None):
        config = resolve(RunRequest(algorithm="cgcnn", level="smoke")).config
        run = RunDirectory(tmp_path / "models" / config.family / f"run_20260101T000000Z_{run_id}")
        rows = [row(epoch + 1) for epoch in range(epochs)]
        return run_page(run, config, fingerprint="f" * 64, rows=rows, started=started, folder=tmp_path / "models")

    return make
