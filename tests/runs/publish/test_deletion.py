"""Deleting a run: at once, completely, and never during its training."""

import pytest

from phase2.errors import RequestError
from phase2.runs.catalog.index import list_runs
from phase2.runs.publish.deletion import delete_run
from phase2.storage.urls import open_store
from phase2.testing.stores.watched_store import WatchedStore


def test_a_deleted_run_leaves_nothing(store, prefix, run):
    delete_run(store, prefix)
    assert list(store.list()) == []
    assert list_runs(store) == []
    models = run.path.parent.parent
    with run.lock():
        pass
    delete_run(open_store(str(models)), prefix)
    assert not run.path.exists()


def test_the_manifest_is_deleted_first(store, prefix):
    watching = WatchedStore(store)
    delete_run(watching, prefix)
    assert watching.changes[0] == ("delete", f"{prefix}/run_manifest.json")
    assert watching.changes[-1] == ("delete", f"{prefix}/run_config.json")


def test_a_run_in_training_is_not_deleted(run, prefix):
    with run.lock(), pytest.raises(RequestError, match="training"):
        delete_run(open_store(str(run.path.parent.parent)), prefix)
    assert run.best.exists()
