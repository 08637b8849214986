"""Publishing: a store has the whole run or none of it, after any failure and with any number of publishers."""

import json
import multiprocessing
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from phase2.errors import DataError, ModelFileError, RequestError, TransientError
from phase2.runs.catalog.index import list_runs
from phase2.runs.publish import claim as publish_claim
from phase2.runs.publish.conflict import OtherPublishedError
from phase2.runs.publish.deletion import delete_run
from phase2.runs.publish.publish import publish_run
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.records.manifest import read_manifest
from phase2.storage.urls import open_store
from phase2.testing.stores.watched_store import Killed, KillingStore, WatchedStore

FILES = {"best.pt": b"w" * 5000, "history.json": b"[]", "pictures/parity.png": b"png", "empty.csv": b""}


@pytest.fixture
def run(make_run, tmp_path):
    return make_run(tmp_path / "models", files=FILES)


@pytest.fixture
def store(tmp_path):
    (tmp_path / "store").mkdir()
    return open_store(str(tmp_path / "store"))


def prefix_of(run):
    return f"{run.family}/{run.name}"


def is_whole(store, run) -> bool:
    """Return whether the store has the whole run; fail where it has a part of it."""
    finished = [found.prefix for found in list_runs(store) if found.status == "finished"]
    if not finished:
        with pytest.raises(RequestError, match="no manifest"):
            PublishedRun.open(store, prefix_of(run))
        return False
    assert finished == [prefix_of(run)]
    result = PublishedRun.open(store, prefix_of(run)).verify()
    assert (result.missing, result.damaged, result.extra) == ((), (), ())
    return True


def test_a_published_run_is_whole_and_equal(run, store, tmp_path):
    done = publish_run(store, run)
    assert (done.uploaded, done.kept, done.already) == (len(FILES) + 1, 0, False)
    assert done.url == f"{store.url}/{prefix_of(run)}"
    assert is_whole(store, run)
    for path in (p for p in run.path.rglob("*") if p.is_file()):
        assert store.read(f"{prefix_of(run)}/{path.relative_to(run.path)}") == path.read_bytes()


def test_publishing_again_succeeds_and_changes_nothing(run, store):
    publish_run(store, run)
    before = list(store.list())
    again = publish_run(store, run)
    assert again.already
    assert again.uploaded == 0
    assert list(store.list()) == before


def test_publishing_a_run_into_its_own_folder_changes_nothing(run):
    assert publish_run(open_store(str(run.path.parent.parent)), run).already


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_change_the_store_has_no_run_or_a_whole_one_and_a_retry_completes_it(run, store, after):
    deaths, outcomes = 0, set()
    for k in range(1, 100):
        try:
            publish_run(KillingStore(store, k, after=after), run)
        except Killed:
            deaths += 1
        else:
            break
        outcomes.add(is_whole(store, run))
        publish_run(store, run)
        assert is_whole(store, run)
        delete_run(store, prefix_of(run))
        assert not list(store.list())
    assert deaths == len(FILES) + 1 + 4  # the files, the id, the claim, the manifest, the end of the claim
    assert outcomes == {False, True}


def test_concurrent_publishers_of_one_run_publish_it_once(run, store):
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: publish_run(store, run), range(8)))
    assert sum(not publication.already for publication in done) == 1
    assert is_whole(store, run)


def _publish_in_process(url, run, barrier, results):
    barrier.wait()
    try:
        results.put("already" if publish_run(open_store(url), run).already else "published")
    except (RequestError, TransientError) as error:
        results.put(type(error).__name__)


def test_of_different_runs_published_under_one_name_exactly_one_is_stored_whole(make_run, store, tmp_path):
    runs = [make_run(tmp_path / str(i), files=FILES | {"best.pt": bytes([i]) * 100_000}) for i in range(4)]
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(len(runs)), context.Queue()
    crowd = [context.Process(target=_publish_in_process, args=(store.url, run, barrier, results)) for run in runs]
    for process in crowd:
        process.start()
    outcomes = sorted(results.get(timeout=60) for _ in crowd)
    for process in crowd:
        process.join()
    assert outcomes.count("published") == 1
    assert "already" not in outcomes
    assert is_whole(store, runs[0])


def test_another_run_of_the_same_name_is_refused_without_changes(make_run, run, store, tmp_path):
    publish_run(store, run)
    other = make_run(tmp_path / "other", files=FILES | {"best.pt": b"other"}, config_digest="00" * 32)
    before = list(store.list())
    with pytest.raises(OtherPublishedError, match="Another run is published"):
        publish_run(store, other)
    assert list(store.list()) == before


def test_the_same_run_finished_elsewhere_is_refused_with_the_name_of_its_publisher(make_run, run, store, tmp_path):
    publish_run(store, run)
    twin = make_run(tmp_path / "twin", files=FILES | {"history.json": b"other seconds"})
    before = list(store.list())
    with pytest.raises(OtherPublishedError, match="by another process") as caught:
        publish_run(store, twin)
    assert list(store.list()) == before
    assert caught.value.same_run
    assert caught.value.prefix == prefix_of(run)
    assert caught.value.manifest == read_manifest(run.manifest)
    assert "2026-11-24 09:40 UTC on machine" in caught.value.why


@pytest.mark.parametrize("differs", [{"status": "failed"}, {"config_digest": "00" * 32}, {"data": None}])
def test_a_run_that_differs_in_outcome_settings_or_data_is_another_run(make_run, run, store, tmp_path, differs):
    publish_run(store, run)
    with pytest.raises(OtherPublishedError, match="Another run") as caught:
        publish_run(store, make_run(tmp_path / "other", files=FILES, **differs))
    assert not caught.value.same_run


def test_a_published_manifest_that_cannot_be_read_is_another_run(run, store):
    store.put(f"{prefix_of(run)}/run_manifest.json", b"{")
    with pytest.raises(OtherPublishedError, match="unknown time") as caught:
        publish_run(store, run)
    assert caught.value.manifest is None


def test_the_claim_of_another_run_times_out_after_an_hour(run, store, monkeypatch):
    store.put(f"{prefix_of(run)}/.publishing", b"0" * 64 + b" another")
    monkeypatch.setattr(publish_claim, "SAME_RUN_CLAIM_TIMEOUT", timedelta(0))
    with pytest.raises(TransientError, match="Another publisher"):
        publish_run(store, run)
    monkeypatch.setattr(publish_claim, "CLAIM_TIMEOUT", timedelta(0))
    assert not publish_run(store, run).already
    assert is_whole(store, run)


@pytest.mark.parametrize("differs", [{"run_id": "another"}, {"family": "docs"}, {"family": ".."}])
def test_a_folder_that_is_not_named_after_its_run_is_refused_without_changes(make_run, store, tmp_path, differs):
    name = "run_20261124T093000Z_4f1c2a"
    run = make_run(tmp_path / "deep" / "models", name, files=FILES)
    record = json.loads(run.manifest.read_text()) | differs
    run.manifest.write_text(json.dumps(record))
    with pytest.raises(RequestError, match="not named after its run"):
        publish_run(store, run)
    assert not list(store.list())


@pytest.mark.parametrize("k", range(2, 8))
def test_the_next_attempt_at_a_run_takes_over_from_a_killed_one(make_run, run, store, tmp_path, monkeypatch, k):
    with pytest.raises(Killed):
        publish_run(KillingStore(store, k, after=True), run)
    again = make_run(tmp_path / "again", files=FILES | {"history.json": b"other seconds"})
    with pytest.raises(TransientError, match="Another publisher"):
        publish_run(store, again)
    monkeypatch.setattr(publish_claim, "SAME_RUN_CLAIM_TIMEOUT", timedelta(0))
    assert not publish_run(store, again).already
    assert is_whole(store, again)
    assert store.read(f"{prefix_of(again)}/history.json") == b"other seconds"


def test_a_publisher_that_lost_its_claim_fails_and_changes_nothing(make_run, run, store, tmp_path, monkeypatch):
    again = make_run(tmp_path / "again", files=FILES | {"best.pt": b"w" * 4999 + b"v"})
    monkeypatch.setattr(publish_claim, "SAME_RUN_CLAIM_TIMEOUT", timedelta(0))

    class Overtaken(WatchedStore):
        def put(self, key, source, **options):
            if key.endswith("history.json"):
                publish_run(store, again)
            return super().put(key, source, **options)

    with pytest.raises(OtherPublishedError, match="by another process"):
        publish_run(Overtaken(store), run)
    assert is_whole(store, again)


@pytest.mark.parametrize("late", ["best.pt", "run_manifest.json"])
def test_a_publisher_that_lost_its_claim_but_is_alive_cannot_damage_the_run(
    make_run, run, store, tmp_path, monkeypatch, late
):
    """The first stores a file, or its manifest, right after the second has removed its leftovers."""
    second = make_run(tmp_path / "second", files=FILES | {"best.pt": b"w" * 4999 + b"v", "history.json": b"other"})
    with pytest.raises(Killed):
        publish_run(KillingStore(store, 4, after=True), run)
    monkeypatch.setattr(publish_claim, "SAME_RUN_CLAIM_TIMEOUT", timedelta(0))

    class Late(WatchedStore):
        stored = False

        def list(self, prefix=""):
            yield from super().list(prefix)
            if not self.stored and prefix == f"{prefix_of(run)}/":
                self.stored = True
                store.put(f"{prefix}{late}", run.path / late)

    assert not publish_run(Late(store), second).already
    assert is_whole(store, second)
    assert store.read(f"{prefix_of(run)}/history.json") == b"other"


def test_a_claim_taken_after_another_run_was_published_is_released_and_refused(make_run, run, store, tmp_path):
    twin = make_run(tmp_path / "twin", files=FILES | {"history.json": b"other seconds"})

    class JustBefore(WatchedStore):
        def put(self, key, source, **options):
            if key.endswith(".publishing"):
                publish_run(store, run)
            return super().put(key, source, **options)

    with pytest.raises(OtherPublishedError, match="by another process"):
        publish_run(JustBefore(store), twin)
    assert is_whole(store, run)
    assert not any(info.key.endswith(".publishing") for info in store.list())


@pytest.mark.parametrize("looked", ["read", "head"])
def test_a_claim_released_while_it_is_read_does_not_block(run, store, looked):
    """Of several publishers of one directory, the fastest releases its claim when it is done."""
    claim = f"{prefix_of(run)}/.publishing"

    class DoneInBetween(WatchedStore):
        def put(self, key, source, **options):
            if key == claim:
                super().put(key, source, **options)  # the other's
            return super().put(key, source, **options)

        def read(self, key, *args, **options):
            self.end(key, "read")
            return super().read(key, *args, **options)

        def head(self, key):
            self.end(key, "head")
            return super().head(key)

        def end(self, key, by):
            if (key, by) == (claim, looked) and self.store.head(claim) is not None:
                self.store.delete(claim)
                publish_run(self.store, run)

    assert publish_run(DoneInBetween(store), run).already
    assert is_whole(store, run)


def test_the_id_of_another_run_is_refused(make_run, run, store, tmp_path):
    publish_run(store, run)
    other = make_run(tmp_path / "other", "run_20270101T000000Z_4f1c2a", files=FILES)
    with pytest.raises(RequestError, match=f"belongs to {prefix_of(run)}"):
        publish_run(store, other)
    assert is_whole(store, run)


def test_taking_over_keeps_checkpoints_and_intact_files(make_run, run, store, tmp_path, monkeypatch):
    store.put(f"{prefix_of(run)}/.checkpoints/epoch_1.pt", b"c")
    store.put(f"{prefix_of(run)}/.publishing", b"digest of another manifest")
    store.put(f"{prefix_of(run)}/run_config.json", run.run_config)
    store.put(f"{prefix_of(run)}/best.pt", b"other")
    store.put(f"{prefix_of(run)}/left.txt", b"over")
    monkeypatch.setattr(publish_claim, "CLAIM_TIMEOUT", timedelta(0))
    watched = WatchedStore(store)
    publish_run(watched, run)
    assert is_whole(store, run)
    assert store.read(f"{prefix_of(run)}/.checkpoints/epoch_1.pt") == b"c"
    assert not any(key.endswith("run_config.json") for _, key in watched.changes)


def test_stored_files_are_not_uploaded_again(run, store):
    store.put(f"{prefix_of(run)}/best.pt", run.best)
    done = publish_run(store, run)
    assert (done.uploaded, done.kept) == (len(FILES), 1)


def test_a_foreign_file_with_other_content_is_never_overwritten(run, store):
    store.put(f"{prefix_of(run)}/best.pt", b"w" * 4999 + b"v")
    with pytest.raises(RequestError, match="with other content"):
        publish_run(store, run)
    assert not is_whole(store, run)


def test_a_file_that_changed_since_the_run_ended_is_not_published(run, store):
    run.best.write_bytes(b"w" * 4999 + b"v")
    with pytest.raises(DataError):
        publish_run(store, run)
    assert not is_whole(store, run)


def test_an_unfinished_run_cannot_be_published(run, store):
    run.manifest.unlink()
    with pytest.raises(ModelFileError):
        publish_run(store, run)
    assert not list(store.list())


def test_a_lost_file_is_detected_before_the_manifest_is_stored(run, store):
    class Losing(WatchedStore):
        def put(self, key, source, **options):
            info = super().put(key, source, **options)
            if key.endswith("history.json"):
                self.delete(key)
            return info

    with pytest.raises(DataError, match=r"history\.json"):
        publish_run(Losing(store), run)
    assert not is_whole(store, run)


def test_a_manifest_that_points_outside_its_run_is_refused(run, store, tmp_path):
    shutil.copy(run.best, run.path.parent / "outside")
    text = run.manifest.read_text().replace('"best.pt"', '"../outside"')
    run.manifest.write_text(text)
    with pytest.raises(RequestError, match="not a valid key"):
        publish_run(store, run)


def test_a_run_may_have_thousands_of_files(make_run, store, tmp_path):
    run = make_run(tmp_path / "many", files={f"part_{i:05d}": b"" for i in range(2_000)})
    publish_run(store, run)
    assert len(list(store.list(prefix_of(run)))) == 2_000 + 2
