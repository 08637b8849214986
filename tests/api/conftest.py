"""A small finished run, and pieces to ask its model about."""

from typing import Any

import pytest

from phase2.api.runs.run import load_run
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.training.run.experiment import train_run

SETTINGS: dict[str, Any] = {"algorithm": "cgcnn", "level": "smoke", "epochs": 2, "max_samples": 60}


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """One graph store for all tests, in this process and in those it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASE2_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("PHASE2_STORE", raising=False)
        yield


@pytest.fixture(scope="session")
def models(cache, tmp_path_factory):
    """Folder of the runs."""
    folder = tmp_path_factory.mktemp("models")
    train_run(resolve(RunRequest(**SETTINGS, output=folder)))
    return folder


@pytest.fixture(scope="session")
def run(models):
    return load_run("latest", store=models)
