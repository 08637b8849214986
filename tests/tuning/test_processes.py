"""Studies in processes of their own: killed and started again, and several at once."""

import shutil

import pytest

from phase2.runs.catalog.index import list_runs
from phase2.storage.folder import LocalStore
from phase2.storage.urls import open_store
from phase2.testing.stores.s3_fixtures import NewStore
from phase2.testing.stores.s3_servers import S3Server

from .conftest import ended, kill_when

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def scores(study):
    return {trial["trial"]: (trial["score"], trial["state"], trial["epochs"]) for trial in study["trials"]}


def test_a_study_killed_at_any_time_ends_as_one_that_was_not(tune, tmp_path):
    whole = ended(tune("--trials", 3, "--json", folder="whole"))
    models = tmp_path / "here" / "models"
    for pattern in (".studies/size/claims/000000/*", "multitask_cgcnn/run_*_size-1/history.json"):
        kill_when(tune("--trials", 3), lambda pattern=pattern: list(models.glob(pattern)))
    study = ended(tune("--trials", 3, "--json"))
    assert scores(study) == scores(whole)
    assert len(list_runs(LocalStore(models))) == 3


def assert_shared(studies, runs):
    """Assert that workers trained each trial once, and that the last to end has seen all."""
    last = max(studies, key=lambda study: sum(trial["state"] != "running" for trial in study["trials"]))
    assert [trial["trial"] for trial in last["trials"]] == list(range(6))
    assert {trial["state"] for trial in last["trials"]} <= {"complete", "pruned"}
    assert len(runs) == 6
    for trial in last["trials"]:
        finished = next(run for run in runs if run.run_id == trial["run"]).status == "finished"
        assert finished == (trial["state"] == "complete")


def test_three_workers_share_a_study_in_a_folder(tune, tmp_path):
    store = tmp_path / "store"
    workers = [tune("--trials", 6, "--store", store, "--json", folder=str(number)) for number in range(3)]
    assert_shared([ended(worker) for worker in workers], list_runs(LocalStore(store)))
    claimed = [path.read_text() for path in store.glob(".studies/size/claims/*/*")]
    assert len(claimed) == 6  # none was taken over
    assert len(set(claimed)) > 1  # and more than one worker trained


def test_three_workers_share_a_study_in_a_bucket_and_one_is_killed(
    tune, tmp_path, seaweedfs: S3Server, new_store: NewStore
):
    url = new_store(seaweedfs).url
    store = open_store(url)
    dies = tune("--trials", 6, "--store", url, folder="dies")
    kill_when(dies, lambda: list((tmp_path / "dies").glob("models/*/run_*/history.json")))
    shutil.rmtree(tmp_path / "dies" / "models")  # its checkpoints in the bucket are all that is left
    workers = [tune("--trials", 6, "--store", url, "--json", folder=str(number)) for number in range(2)]
    assert_shared([ended(worker) for worker in workers], list_runs(store))
