"""A finished run, the store it is published in, and the published run."""

import pytest

from phase2.runs.publish.publish import publish_run
from phase2.runs.publish.reader import PublishedRun
from phase2.storage.urls import open_store

FILES = {"best.pt": b"w" * 5000, "history.json": b"[]", "pictures/parity.png": b"png", "empty.csv": b""}


@pytest.fixture
def run(make_run, tmp_path):
    return make_run(tmp_path / "models", files=FILES)


@pytest.fixture
def prefix(run):
    return f"{run.family}/{run.name}"


@pytest.fixture
def store(tmp_path, run):
    (tmp_path / "store").mkdir()
    store = open_store(str(tmp_path / "store"))
    publish_run(store, run)
    return store


@pytest.fixture
def published(store, prefix):
    return PublishedRun.open(store, prefix)
