"""Deleting a study: all that is its own, nothing else, and not while somebody works on it."""

import pytest

from phase2.errors import RequestError, UnknownNameError
from phase2.storage.urls import open_store
from phase2.tuning.deletion import delete_study, runs_of_study
from phase2.tuning.workers import Worker

OTHERS = (".studies/size-2/study.json", ".studies/other/study.json", "multitask_cgcnn/run_20260101T000000Z_size-0/x")


@pytest.fixture
def store(tmp_path):
    made = open_store(str(tmp_path / "models"))
    own = ("study.json", "journal/000000.json", "claims/000000/000001.json", "workers/0123456789ab.json")
    for key in (*(f".studies/size/{part}" for part in own), *OTHERS):
        made.put(key, b"{}")
    return made


def keys_of(store):
    return {info.key for info in store.list()}


def test_a_study_is_deleted_and_nothing_else(store):
    assert delete_study(store, "size") == 4
    assert keys_of(store) == set(OTHERS)
    with pytest.raises(UnknownNameError, match="Unknown study 'size'"):
        delete_study(store, "size")


def test_a_study_that_somebody_works_on_stays(store, tmp_path):
    with Worker(store, "size", locks=tmp_path / "locks").registered():
        before = keys_of(store)
        with pytest.raises(RequestError, match="A worker is at work"):
            delete_study(store, "size")
        assert keys_of(store) == before
    assert delete_study(store, "size")


@pytest.mark.parametrize("name", ["", "..", "size/journal", "../multitask_cgcnn", "a/../size"])
def test_what_is_no_name_of_a_study_deletes_nothing(store, name):
    before = keys_of(store)
    with pytest.raises(RequestError):
        delete_study(store, name)
    assert keys_of(store) == before


def test_what_an_interrupted_call_left_is_deleted_by_the_next(store):
    store.delete(".studies/size/journal/000000.json")
    assert delete_study(store, "size") == 3


def test_its_runs_are_known_by_their_ids(store):
    for run_id in ("size-10", "size-2", "size-2-0", "other-1", "size"):
        store.put(f"multitask_cgcnn/run_20260101T000000Z_{run_id}/run_config.json", b"{}")
    ids = [prefix.rpartition("Z_")[2] for prefix in runs_of_study(store, "size")]
    assert ids == ["size-0", "size-2", "size-10"]
