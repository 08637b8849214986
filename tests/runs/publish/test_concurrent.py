"""Processes that publish one run to a real server concurrently: one wins, and the others report it."""

import multiprocessing

import pytest

from phase2.errors import TransientError
from phase2.runs.catalog.index import list_runs
from phase2.runs.publish.conflict import OtherPublishedError
from phase2.runs.publish.deletion import delete_run
from phase2.runs.publish.publish import publish_run
from phase2.runs.publish.reader import PublishedRun
from phase2.storage.urls import open_store

FILES = {"best.pt": b"w" * 50_000, "parity.png": b"png"}


def _publish(url, run, barrier, said):
    barrier.wait(60)
    try:
        said.put("already" if publish_run(open_store(url), run).already else "published")
    except OtherPublishedError as error:
        said.put("other" if error.same_run else "another run")
    except TransientError:
        said.put("busy")


@pytest.fixture
def publish_at_once(server, new_store):
    """Publish run directories into one store from concurrent processes; return the store and their output."""
    context = multiprocessing.get_context("spawn")

    def publish(runs):
        store = new_store(server)
        barrier, said = context.Barrier(len(runs)), context.Queue()
        crowd = [context.Process(target=_publish, args=(store.url, run, barrier, said)) for run in runs]
        for process in crowd:
            process.start()
        heard = sorted(said.get(timeout=120) for _ in crowd)
        for process in crowd:
            process.join(60)
        return store, heard

    return publish


def assert_one_whole_run(store):
    (run,) = list_runs(store)
    assert run.status == "finished"
    found = PublishedRun.open(store, run.prefix).verify()
    assert (found.missing, found.damaged, found.extra) == ((), (), ())


@pytest.mark.slow
def test_of_two_processes_that_finished_one_run_one_publishes_and_the_other_is_told_so(
    make_run, publish_at_once, tmp_path
):
    twins = [make_run(tmp_path / str(i), files=FILES | {"history.json": b"%d" % i}) for i in range(2)]
    store, heard = publish_at_once(twins)
    assert heard.count("published") == 1
    assert set(heard) <= {"published", "busy", "other"}
    assert_one_whole_run(store)
    later = []
    for twin in twins:
        try:
            later.append(publish_run(store, twin).already)
        except OtherPublishedError as error:
            later.append(error.same_run)
    assert later == [True, True]
    assert_one_whole_run(store)


@pytest.mark.slow
def test_of_three_publishers_of_one_directory_one_publishes(make_run, publish_at_once, tmp_path):
    run = make_run(tmp_path / "models", files=FILES)
    store, heard = publish_at_once([run] * 3)
    assert heard == ["already", "already", "published"]
    assert_one_whole_run(store)
    delete_run(store, f"{run.family}/{run.name}")
    assert list_runs(store) == []
