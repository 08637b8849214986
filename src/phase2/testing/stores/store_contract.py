"""The contract of stores as tests: inherit ``StoreContract``, provide a store, and pytest runs it.

class TestMyStore(StoreContract):
@pytest.fixture
def store(self) -> Store:
return MyStore(...)
"""

from __future__ import annotations

import hashlib
import random
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from phase2.errors import RequestError, TransientError
from phase2.storage.base import ObjectDamagedError, ObjectExistsError, ObjectMissingError, Store

WRONG = "0" * 64


class StoreContract:
    """Laws of a store. The fixture ``store`` provides an empty one to each test."""

    large = (20 << 20) + 17
    """Size of an object of several parts, the last one incomplete."""

    def test_content_put_is_content_read(self, store: Store) -> None:
        info = store.put("runs/a/model.pt", b"weights")
        assert (info.key, info.size, info.sha256) == ("runs/a/model.pt", 7, _sha256(b"weights"))
        assert store.read("runs/a/model.pt") == b"weights"
        assert abs(info.modified - datetime.now(UTC)) < timedelta(minutes=5)

    def test_an_empty_object_is_an_object(self, store: Store, tmp_path: Path) -> None:
        store.put("empty", b"")
        assert store.read("empty") == b""
        assert store.read_range("empty", 0, 5) == b""
        assert store.get("empty", tmp_path / "empty", sha256=_sha256(b"")).size == 0
        assert (tmp_path / "empty").read_bytes() == b""
        assert [info.size for info in store.list()] == [0]

    def test_head_returns_the_digest(self, store: Store) -> None:
        put = store.put("a", b"content")
        head = store.head("a")
        assert head is not None
        assert (head.key, head.size, head.sha256) == ("a", 7, put.sha256)
        assert head.modified.tzinfo is not None

    def test_a_later_put_replaces(self, store: Store) -> None:
        store.put("pointer", b"a much longer first version")
        store.put("pointer", b"second")
        assert store.read("pointer") == b"second"
        head = store.head("pointer")
        assert head is not None
        assert head.sha256 == _sha256(b"second")

    def test_a_large_file_survives_the_round_trip(self, store: Store, tmp_path: Path) -> None:
        content = random.Random(0).randbytes(self.large)
        (tmp_path / "large").write_bytes(content)
        info = store.put("deep/er/large", tmp_path / "large")
        assert (info.size, info.sha256) == (self.large, _sha256(content))
        got = store.get("deep/er/large", tmp_path / "new" / "copy", sha256=info.sha256)
        assert got.sha256 == info.sha256
        assert (tmp_path / "new" / "copy").read_bytes() == content
        assert list((tmp_path / "new").iterdir()) == [tmp_path / "new" / "copy"]
        head = store.head("deep/er/large")
        assert head is not None
        assert head.sha256 == info.sha256

    def test_large_bytes_are_a_source(self, store: Store) -> None:
        content = random.Random(1).randbytes(self.large)
        assert store.put("large", content).sha256 == _sha256(content)
        assert store.read_range("large", self.large - 3, 100) == content[-3:]

    def test_content_with_another_digest_is_not_stored(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "large").write_bytes(random.Random(2).randbytes(self.large))
        for key, source in (("small", b"content"), ("large", tmp_path / "large")):
            with pytest.raises(ObjectDamagedError):
                store.put(key, source, sha256=WRONG)
        assert list(store.list()) == []

    def test_a_refused_put_leaves_the_old_object(self, store: Store) -> None:
        store.put("a", b"old")
        with pytest.raises(ObjectDamagedError):
            store.put("a", b"new", sha256=WRONG)
        assert store.read("a") == b"old"

    def test_a_digest_may_be_in_upper_case(self, store: Store, tmp_path: Path) -> None:
        digest = _sha256(b"content")
        assert store.put("a", b"content", sha256=digest.upper()).sha256 == digest
        assert store.get("a", tmp_path / "a", sha256=digest.upper()).sha256 == digest

    def test_if_absent_stores_once(self, store: Store) -> None:
        store.put("manifest", b"first", if_absent=True)
        for content in (b"second", b"first"):
            with pytest.raises(ObjectExistsError):
                store.put("manifest", content, if_absent=True)
        assert store.read("manifest") == b"first"

    def test_if_absent_is_free_again_after_a_delete(self, store: Store) -> None:
        store.put("manifest", b"first", if_absent=True)
        store.delete("manifest")
        store.put("manifest", b"second", if_absent=True)
        assert store.read("manifest") == b"second"

    def test_exactly_one_of_several_concurrent_puts_succeeds(self, store: Store, tmp_path: Path) -> None:
        contents = [bytes([i]) * 100_000 for i in range(6)]
        for i, content in enumerate(contents):
            (tmp_path / str(i)).write_bytes(content)

        def try_to_put(i: int) -> bool:
            try:
                store.put("manifest", tmp_path / str(i), if_absent=True)
            except ObjectExistsError:
                return False
            return True

        with ThreadPoolExecutor(len(contents)) as pool:
            won = list(pool.map(try_to_put, range(len(contents))))
        assert sum(won) == 1
        assert store.read("manifest") == contents[won.index(True)]

    def test_ranges_end_where_the_object_ends(self, store: Store) -> None:
        content = bytes(range(100))
        store.put("a", content)
        spans = ((0, 100), (0, 1), (10, 20), (99, 1), (90, 1000), (100, 5), (5000, 1), (3, 0))
        for start, length in spans:
            assert store.read_range("a", start, length) == content[start : start + length]

    def test_a_missing_object_is_reported(self, store: Store, tmp_path: Path) -> None:
        assert store.head("no/such") is None
        store.delete("no/such")
        with pytest.raises(ObjectMissingError, match="no/such"):
            store.read("no/such")
        with pytest.raises(ObjectMissingError, match="no/such"):
            store.read_range("no/such", 0, 1)
        with pytest.raises(ObjectMissingError, match="no/such"):
            store.get("no/such", tmp_path / "target")
        assert list(tmp_path.iterdir()) == []

    def test_a_deleted_object_is_gone(self, store: Store) -> None:
        store.put("a/b", b"1")
        store.put("a/c", b"2")
        store.delete("a/b")
        store.delete("a/b")
        assert store.head("a/b") is None
        assert [info.key for info in store.list()] == ["a/c"]

    def test_objects_of_one_folder_may_be_deleted_and_put_concurrently(self, store: Store) -> None:
        keys = [f"runs/a/{i}" for i in range(8)]
        with ThreadPoolExecutor(len(keys)) as pool:
            for _ in range(5):
                list(pool.map(lambda key: store.put(key, b"x"), keys))
                list(pool.map(store.delete, keys))
                assert list(store.list()) == []

    def test_concurrent_readers_see_a_whole_object_or_none(self, store: Store, tmp_path: Path) -> None:
        """A store that cannot keep a version while it is read raises a transient error."""
        versions = [b"", b"short", b"l" * 200_000]

        def read() -> bytes | None:
            with suppress(ObjectMissingError, TransientError):
                return store.read("runs/a/x")
            return None

        def get() -> bytes | None:
            target = tmp_path / secrets.token_hex(8)
            with suppress(ObjectMissingError, TransientError):
                store.get("runs/a/x", target)
                return target.read_bytes()
            return None

        def size() -> int | None:
            info = store.head("runs/a/x")
            return None if info is None else info.size

        with ThreadPoolExecutor(6) as pool:
            for content in versions * 3:
                put, delete = pool.submit(store.put, "runs/a/x", content), pool.submit(store.delete, "runs/a/x")
                reads = [pool.submit(look) for look in (read, get) * 3]
                sizes = [pool.submit(size) for _ in range(3)]
                put.result()
                delete.result()
                assert {look.result() for look in reads} <= {None, *versions}
                assert {look.result() for look in sizes} <= {None, *map(len, versions)}

    def test_lists_are_sorted_by_key_and_filtered_by_any_prefix(self, store: Store) -> None:
        keys = ["a/b", "a-b", "a.b", "a/b-c/d", "a/b/c", "a0", "B", "ab/z", "ab/ä", "a/b c", "a/b+c", "a/b%20c"]
        keys.remove("a/b")  # a folder of that name is there, and a file system holds only one of both
        for key in keys:
            store.put(key, key.encode())
        for prefix in ("", "a", "a/", "a/b", "a/b/", "ab/", "nothing/", "a/b c"):
            found = list(store.list(prefix))
            assert [info.key for info in found] == sorted(key for key in keys if key.startswith(prefix))
            assert all(info.size == len(info.key.encode()) for info in found)
        assert all(store.read(key) == key.encode() for key in keys)

    def test_a_list_may_be_longer_than_a_page(self, store: Store) -> None:
        keys = [f"runs/{i:04d}" for i in range(1100)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: store.put(key, b"x"), keys))
        assert [info.key for info in store.list("runs/")] == keys

    def test_folders_are_those_directly_below(self, store: Store) -> None:
        for key in ("top", "b/one", "b/deep/er/two", "b-c/x", "a ä/y", "b.d/z", ".hidden/h"):
            store.put(key, b"x")
        assert list(store.folders()) == sorted([".hidden", "a ä", "b", "b-c", "b.d"])
        assert list(store.folders("b/")) == ["b/deep"]
        assert list(store.folders("b/deep/")) == ["b/deep/er"]
        assert list(store.folders("b/deep/er/")) == []
        assert list(store.folders("nothing/")) == []
        assert list(store.folders("top/")) == []

    def test_a_store_without_objects_has_no_folders(self, store: Store) -> None:
        assert list(store.folders()) == []
        store.put("a/b/c", b"x")
        store.delete("a/b/c")
        assert [found for folder in store.folders() for found in store.list(f"{folder}/")] == []

    def test_folders_may_be_more_than_a_page(self, store: Store) -> None:
        names = [f"runs/run_{i:04d}" for i in range(1100)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: store.put(f"{name}/manifest", b"x"), names))
        assert list(store.folders("runs/")) == names
        assert list(store.folders()) == ["runs"]

    @pytest.mark.parametrize("prefix", ["a", "/", "../", "a/../", "a//", "./"])
    def test_an_invalid_folder_is_refused(self, store: Store, prefix: str) -> None:
        with pytest.raises(RequestError, match=r"not a (folder|valid key)"):
            list(store.folders(prefix))

    def test_get_resumes_a_partial_download(self, store: Store, tmp_path: Path) -> None:
        content = random.Random(3).randbytes(self.large)
        store.put("large", content)
        (tmp_path / "copy.part").write_bytes(content[: self.large // 2 + 5])
        assert store.get("large", tmp_path / "copy").sha256 == _sha256(content)
        assert (tmp_path / "copy").read_bytes() == content

    @pytest.mark.parametrize("left", [b"other content", b"x" * 1000, b"right content, but more"])
    def test_get_starts_over_after_another_version(self, store: Store, tmp_path: Path, left: bytes) -> None:
        store.put("a", b"right content")
        (tmp_path / "copy.part").write_bytes(left)
        store.get("a", tmp_path / "copy", sha256=_sha256(b"right content"))
        assert (tmp_path / "copy").read_bytes() == b"right content"

    def test_get_replaces_the_target_only_when_verified(self, store: Store, tmp_path: Path) -> None:
        store.put("a", b"content")
        (tmp_path / "copy").write_bytes(b"precious")
        with pytest.raises(ObjectDamagedError):
            store.get("a", tmp_path / "copy", sha256=WRONG)
        assert (tmp_path / "copy").read_bytes() == b"precious"
        store.get("a", tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == b"content"

    @pytest.mark.parametrize(
        "key", ["", "/a", "a/", "a//b", "../a", "a/../b", ".", "a/.", "a\\b", "a\nb", "a\0b", "x" * 201, ".x.tmp"]
    )
    def test_ambiguous_keys_are_refused(self, store: Store, tmp_path: Path, key: str) -> None:
        for use in (
            lambda: store.put(key, b"x"),
            lambda: store.get(key, tmp_path / "target"),
            lambda: store.read(key),
            lambda: store.head(key),
            lambda: store.delete(key),
        ):
            with pytest.raises(RequestError, match="not a valid key"):
                use()

    def test_a_missing_source_is_reported(self, store: Store, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match="does not exist"):
            store.put("a", tmp_path / "nothing")
        assert list(store.list()) == []

    def test_the_url_opens_the_same_store(self, store: Store) -> None:
        from phase2.storage.urls import open_store

        store.put("a", b"content")
        assert open_store(store.url).read("a") == b"content"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
