"""A study small enough for a test, in this process or in others that can be killed."""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from phase2.config.request.run_request import RunRequest
from phase2.config.search.space import SearchSpace
from phase2.storage.folder import LocalStore
from phase2.tuning.definition import StudyDefinition
from phase2.tuning.study import Study

WORDS = ("--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--epochs", "4")
OVER = ("training.lr=1e-4..1e-1:log", "model.width=8,16,24")


@pytest.fixture(scope="package", autouse=True)
def cache(tmp_path_factory):
    """One graph store for all studies, in this process and in those it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASE2_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("PHASE2_STORE", raising=False)
        yield


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


@pytest.fixture
def define():
    """Define a study of a small run."""

    def make(name="size", over=OVER, *, minimise="score", pruner="median", trials=6, **settings):
        small: dict[str, Any] = {"algorithm": "cgcnn", "level": "smoke", "max_samples": 60, "epochs": 4}
        request = RunRequest(**(small | settings))
        space = SearchSpace.parse(over, request.profile.algorithm)
        return StudyDefinition.of(name, request, space, minimise=minimise, pruner=pruner, trials=trials)

    return make


@pytest.fixture
def study(store, define):
    return Study(store, define().save(store))


@pytest.fixture
def tune(tmp_path):
    """Start ``phase2 tune`` in another process; its environment is this one's and what is given."""
    started = []

    def start(*words, folder="here", **environment):
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        over = [word for text in OVER for word in ("--over", text)]
        command = [sys.executable, "-m", "phase2", "tune", *WORDS, *over, "--name", "size", *map(str, words)]
        process = subprocess.Popen(
            command,
            cwd=place,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def ended(process):
    """Wait for a process; returns the study that it printed as JSON."""
    out, err = process.communicate(timeout=250)
    assert process.returncode == 0, err
    return json.loads(out[out.index("{\n") :])


def kill_when(process, condition, seconds=200):
    """Kill a process as soon as a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL
