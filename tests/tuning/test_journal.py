"""The journal of a study: every entry once, in one order for all, whoever is killed and whatever is damaged."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from phase2.errors import TransientError
from phase2.storage.base import ObjectExistsError
from phase2.storage.folder import LocalStore
from phase2.testing.stores.s3_fixtures import NewStore
from phase2.testing.stores.s3_servers import S3Server
from phase2.testing.stores.watched_store import Killed, KillingStore
from phase2.tuning.journal.backend import StoreJournal
from phase2.tuning.journal.entry import Entry

FOLDER = ".studies/size/journal"


def operation(worker, number):
    return {"op_code": 9, "worker_id": worker, "number": number}


def read(store):
    return list(StoreJournal(store, FOLDER).read_logs(0))


def append_many(store, worker, count):
    journal = StoreJournal(store, FOLDER)
    for number in range(count):
        journal.append_logs([operation(worker, number)])


class JournalContract:
    """What holds in every store."""

    def test_what_is_appended_is_read(self, store):
        journal = StoreJournal(store, FOLDER)
        assert list(journal.read_logs(0)) == []
        journal.append_logs([operation("a", 0), operation("a", 1)])
        other = StoreJournal(store, FOLDER)
        other.append_logs([operation("b", 0)])
        assert [one["worker_id"] for one in journal.read_logs(0)] == ["a", "a", "b"]
        assert list(journal.read_logs(2)) == [operation("b", 0)]
        assert read(store) == list(other.read_logs(0))

    def test_of_several_writers_at_once_none_loses_an_entry(self, store):
        workers, each = 4, 15
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda worker: append_many(store, worker, each), range(workers)))
        found = read(store)
        assert len(found) == workers * each
        for worker in range(workers):
            assert [one["number"] for one in found if one["worker_id"] == worker] == list(range(each))
        assert read(store) == found


class TestFolder(JournalContract):
    @pytest.fixture
    def store(self, tmp_path):
        return LocalStore(tmp_path / "store")


class TestSeaweedFS(JournalContract):
    @pytest.fixture
    def store(self, seaweedfs: S3Server, new_store: NewStore):
        return new_store(seaweedfs)


class TestMinIO(JournalContract):
    @pytest.fixture
    def store(self, minio: S3Server, new_store: NewStore):
        return new_store(minio)


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("k", range(1, 5))
def test_a_writer_killed_at_any_write_leaves_whole_entries(store, k, after):
    with pytest.raises(Killed):
        append_many(KillingStore(store, k, after=after), "dies", 10)
    assert read(store) == [operation("dies", number) for number in range(k if after else k - 1)]
    append_many(store, "next", 2)
    assert read(store)[-2:] == [operation("next", 0), operation("next", 1)]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_torn_entry_is_skipped_by_all_alike(store, number):
    append_many(store, "a", 3)
    path = store.root / FOLDER / f"{number:09d}.json"
    path.write_bytes(path.read_bytes()[:-7])
    left = [operation("a", other) for other in range(3) if other != number]
    assert read(store) == left
    append_many(store, "b", 1)
    assert read(store) == [*left, operation("b", 0)]


@pytest.mark.parametrize("number", [0, 1])
def test_a_deleted_entry_does_not_hide_the_later_ones(store, number):
    append_many(store, "a", 3)
    store.delete(f"{FOLDER}/{number:09d}.json")
    assert read(store) == [operation("a", other) for other in range(3) if other != number]


def test_an_entry_whose_response_was_lost_is_there_once(store):
    class Lossy(LocalStore):
        """As a bucket whose first response is lost: the second attempt finds the key taken."""

        def put(self, key, source, *, sha256=None, if_absent=False):
            super().put(key, source, sha256=sha256, if_absent=if_absent)
            raise ObjectExistsError(key)

    append_many(Lossy(store.root), "a", 3)
    assert read(store) == [operation("a", number) for number in range(3)]


def test_equal_operations_of_two_writers_are_two_entries(store):
    one, other = StoreJournal(store, FOLDER), StoreJournal(store, FOLDER)
    one.append_logs([operation("same", 0)])
    other.append_logs([operation("same", 0)])
    assert len(read(store)) == 2


def test_a_store_that_is_down_is_reported(store):
    class Down(LocalStore):
        def put(self, key, source, *, sha256=None, if_absent=False):
            raise TransientError("The store does not answer.")

    with pytest.raises(TransientError, match="does not answer"):
        append_many(Down(store.root), "a", 1)
    assert read(store) == []


def test_no_change_of_a_byte_passes_for_an_entry():
    content = Entry((operation("a", 0),)).encode()
    for place in range(len(content) - 1):
        damaged = bytearray(content)
        damaged[place] ^= 1
        assert Entry.decode(bytes(damaged)) is None
