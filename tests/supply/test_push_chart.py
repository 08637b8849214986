"""``make chart-push``: the chart comes back from a real registry as it was pushed."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from tests.chart.conftest import helm  # noqa: F401 - a fixture
from tests.chart.rendering import CHART, PROJECT
from tests.on_cluster.lab.building import builds
from tests.on_cluster.lab.folders import Folders

from phase2 import __version__


@pytest.fixture(scope="module")
def registry(helm, tmp_path_factory):  # noqa: F811
    """Address of a registry of its own on loopback."""
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    storage = {"filesystem": {"rootdirectory": str(folder / "files")}}
    settings = {"version": 0.1, "log": {"level": "warn"}, "storage": storage, "http": {"addr": f"127.0.0.1:{port}"}}
    (folder / "registry.yaml").write_text(json.dumps(settings))
    program = builds.registry(Folders.default())
    environment = os.environ | {"OTEL_TRACES_EXPORTER": "none"}
    server = subprocess.Popen([program, "serve", folder / "registry.yaml"], env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/v2/", server)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def wait_for(url, server):
    deadline = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the registry does not answer (exit code {server.poll()})")


def push(**environment):
    words = [sys.executable, "-m", "tools.supply.push_chart"]
    return subprocess.run(words, env=os.environ | environment, capture_output=True, text=True, check=False, cwd=PROJECT)


def test_the_pushed_chart_renders_what_the_folder_does(helm, registry, tmp_path):  # noqa: F811
    address = f"oci://{registry}/charts"
    done = push(REGISTRY=address, PLAIN_HTTP="1", IMAGE="")
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert f"{registry}/charts/phase2-runner:{__version__}" in said
    digest = said.partition("Digest: ")[2].split()[0]
    words = ["--plain-http", "--version", __version__, "--destination", tmp_path]
    pulled = helm("pull", f"{address}/phase2-runner", *words)
    assert digest in pulled.stdout + pulled.stderr
    (package,) = Path(tmp_path).glob("*.tgz")
    place = ["--namespace", "team", "--set", "argo.enabled=true"]
    assert helm("template", "phase2", package, *place).stdout == helm("template", "phase2", CHART, *place).stdout


@pytest.mark.parametrize("address", ["", "registry.example.com/charts", "https://registry.example.com"])
def test_an_address_of_another_kind_is_refused(address):
    done = push(REGISTRY=address)
    assert done.returncode == 2
    assert "write oci://registry.example.com/charts" in done.stderr
