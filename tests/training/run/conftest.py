"""A run small enough for a test, and the processes that train it until they are stopped."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from phase2.config.request.run_request import RunRequest


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """A cache of graph stores for each module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASE2_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def request_in():
    """Make the request of a small run in this folder."""

    def make(output: Path, **settings) -> RunRequest:
        small: dict[str, Any] = {
            "algorithm": "cgcnn",
            "level": "smoke",
            "max_samples": 60,
            "epochs": 2,
            "output": output,
        }
        return RunRequest(**(small | settings))

    return make


@pytest.fixture(scope="session")
def stopped_run():
    """Train a request in another process, and stop it as soon as a file appears; returns that file."""

    def stop(
        request: RunRequest,
        pattern: str,
        *,
        root: Path,
        how: signal.Signals = signal.SIGKILL,
        options: tuple[str, ...] = (),
        **environment: str,
    ) -> Path:
        command = [sys.executable, "-m", "phase2", *request.command()[1:], *options]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | environment)
        try:
            deadline = time.monotonic() + 200
            while not (found := list(root.glob(pattern))):
                assert process.poll() is None, "the run ended before it was stopped"
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.send_signal(how)
            assert process.wait(100) == (143 if how == signal.SIGTERM else -how)
        finally:
            process.kill()
        return found[0]

    return stop
