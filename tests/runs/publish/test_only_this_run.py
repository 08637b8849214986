"""A delete removes the named run and nothing else, whatever a store says of it."""

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phase2.errors import ModelFileError, Phase2Error, RequestError
from phase2.runs.catalog.index import INDEX, Index, list_runs
from phase2.runs.catalog.lookup import find_in, find_prefix
from phase2.runs.identity import UnsoundRunError, is_run_prefix
from phase2.runs.publish.deletion import delete_run, delete_runs
from phase2.runs.publish.publish import publish_run
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.remote.ids import DamagedIdError, claim_run_id
from phase2.storage import base
from phase2.storage.base import ObjectTooLargeError
from phase2.storage.folder import LocalStore
from phase2.testing.stores.watched_store import Killed, KillingStore

FAMILY = "multitask_cgcnn"
FIRST, SECOND, SIBLING = "run_20260101T000000Z_a", "run_20260101T000001Z_b", "run_20260101T000000Z_a0"
NAMES = (FIRST, SECOND, SIBLING)
NO_RUNS = {
    "docs/important": b"mine", "docs/run_1/notes.txt": b"mine", "models.txt": b"mine", f"{FAMILY}/notes.txt": b"mine",
    f"{FAMILY}/run_notes/page.txt": b"mine", f"{FAMILY}x/{FIRST}/best.pt": b"mine", f"x{FAMILY}/{FIRST}/best.pt": b"m",
}  # fmt: skip


@pytest.fixture(params=["disk", "minio"])
def store(request, tmp_path):
    if request.param == "disk":
        (tmp_path / "store").mkdir()
        return LocalStore(tmp_path / "store")
    return request.getfixturevalue("new_store")(request.getfixturevalue("minio"))


@pytest.fixture
def full(store, make_run, tmp_path):
    """A store with three published runs, one name the beginning of another, and files that are no runs."""
    for i, name in enumerate(NAMES):
        publish_run(store, make_run(tmp_path / "models", name, after=i, files={"best.pt": b"w", "parts/a.csv": b"1"}))
    for key, content in NO_RUNS.items():
        store.put(key, content)
    return store


def contents(store):
    return {info.key: store.read(info.key) for info in store.list()}


def belongs_to(key, prefix):
    run_id = prefix.rpartition("_")[2]
    return key.startswith((f"{prefix}/", f".published/{prefix}.")) or key == f".ids/{run_id}"


def prefix_of(name):
    return f"{FAMILY}/{name}"


def test_the_beginning_of_a_name_deletes_nothing(full):
    """A delete that is repeated names a run that is gone, and perhaps the beginning of another."""
    delete_run(full, find_prefix(full, "a"))
    for name in ("a", FIRST, prefix_of(FIRST), FIRST[:-1], "run_", FAMILY):
        with pytest.raises(RequestError, match="There is no run"):
            find_prefix(full, name)
    assert [find_prefix(full, name) for name in ("a0", SIBLING, prefix_of(SIBLING))] == [prefix_of(SIBLING)] * 3


def test_a_delete_removes_the_named_run_and_no_sibling(full):
    before = contents(full)
    delete_run(full, prefix_of(FIRST))
    assert contents(full) == {k: v for k, v in before.items() if not belongs_to(k, prefix_of(FIRST))}
    assert PublishedRun.open(full, prefix_of(SIBLING)).verify().intact


NOT_OF_THE_SHAPE = (
    "", "/", ".", "..", FAMILY, f"{FAMILY}/", f"{FAMILY}/{FIRST}/", f"/{FAMILY}/{FIRST}", f"{FAMILY}//{FIRST}",
    f"{FAMILY}/run_", f"{FAMILY}/run_*", f"{FAMILY}/.", f"{FAMILY}/..", f"{FAMILY}/../{FAMILY}/{FIRST}",
    f"{FAMILY}/{FIRST}/best.pt", f"{FAMILY}%2F{FIRST}", f"{FAMILY}/run_%2e%2e", f"{FAMILY}/{FIRST}\n",
    f"{FAMILY}/\n{FIRST}", f"{FAMILY}/run_20260101T000000Z_\u0430", f"{FAMILY}/run_\u0661", f"{FAMILY}\\{FIRST}",
    "docs/important", "docs/run_1", ".ids/a", ".published", f"x{FAMILY}/{FIRST}", f"{FAMILY}x/{FIRST}",
    f"{FAMILY.upper()}/{FIRST}", f"{FAMILY}/{FIRST}\0", "x" * 5000 + "/run_1", f"{FAMILY}/run_{'x' * 5000}",
)  # fmt: skip


def test_what_has_not_the_shape_of_a_run_is_refused_without_changes(full):
    before = contents(full)
    for prefix in NOT_OF_THE_SHAPE:
        assert not is_run_prefix(prefix)
        with pytest.raises(RequestError, match="is not a run"):
            delete_run(full, prefix)
        with pytest.raises(RequestError):
            delete_run(full, find_prefix(full, prefix))
    assert contents(full) == before


def rewrite(store, key, **fields):
    store.put(key, json.dumps(json.loads(store.read(key)) | fields).encode())


@pytest.mark.parametrize("lie", [{"run_id": "b"}, {"family": "multitask_pro_e3nn"}, {"run_id": "../../docs"}])
def test_a_manifest_that_lies_about_its_key_is_named_and_nothing_is_changed(full, lie, tmp_path):
    prefix = prefix_of(FIRST)
    rewrite(full, f"{prefix}/run_manifest.json", **lie)
    before = contents(full)
    with pytest.raises(UnsoundRunError, match=r"run_manifest\.json' in .* is not of the run"):
        delete_run(full, prefix)
    assert contents(full) == before
    with pytest.raises(UnsoundRunError, match="is not of the run"):
        PublishedRun.open(full, prefix).pull(tmp_path / "here")
    assert not list((tmp_path / "here").rglob("*.pt"))


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"run_id": 7, "family": "x"}'])
def test_a_damaged_manifest_is_no_obstacle_where_the_configuration_says_which_run_it_is(full, damage):
    prefix = prefix_of(FIRST)
    full.put(f"{prefix}/run_manifest.json", damage)
    before = contents(full)
    delete_run(full, prefix)
    assert contents(full) == {k: v for k, v in before.items() if not belongs_to(k, prefix)}


@pytest.mark.parametrize("config", [None, b"{", {"run_id": "b"}])
def test_without_a_record_of_the_run_nothing_is_changed(full, config):
    prefix = prefix_of(FIRST)
    full.put(f"{prefix}/run_manifest.json", b"{")
    if config is None:
        full.delete(f"{prefix}/run_config.json")
    elif isinstance(config, bytes):
        full.put(f"{prefix}/run_config.json", config)
    else:
        rewrite(full, f"{prefix}/run_config.json", **config)
    before = contents(full)
    with pytest.raises(UnsoundRunError, match=r"run_(manifest|config)\.json"):
        delete_run(full, prefix)
    assert contents(full) == before


def test_files_without_a_mark_of_phase2_are_no_run(full):
    before = contents(full)
    full.put(".ids/run_notes", f"{FAMILY}/run_notes".encode())
    with pytest.raises(UnsoundRunError, match="not a run of phase2"):
        delete_run(full, f"{FAMILY}/run_notes")
    full.delete(".ids/run_notes")
    assert contents(full) == before


def test_the_claim_of_a_killed_publisher_is_a_mark_of_its_own_run_alone(full):
    prefix = prefix_of("run_20260101T000003Z_c")
    full.put(f"{prefix}/best.pt", b"w")
    full.put(f"{prefix}/.publishing", b"0" * 64 + b" b")
    with pytest.raises(UnsoundRunError, match=r"\.publishing' in .* is not of the run"):
        delete_run(full, prefix)
    full.put(f"{prefix}/.publishing", b"0" * 64 + b" c")
    assert delete_run(full, prefix) == 2
    assert not list(full.list(f"{prefix}/"))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_what_a_killed_publisher_left_can_be_deleted_after_a_delete_was_killed_too(store, after):
    prefix = prefix_of(FIRST)
    for k in range(1, 20):
        for name, content in (("best.pt", b"w"), ("x.csv", b""), (".publishing", b"0" * 64 + b" a")):
            store.put(f"{prefix}/{name}", content)
        claim_run_id(store, "a", prefix)
        try:
            delete_run(KillingStore(store, k, after=after), prefix)
        except Killed:
            delete_run(store, find_prefix(store, prefix) if list(store.list()) else prefix)
            assert not list(store.list())
        else:
            break
    assert k > 4


def test_a_claim_of_an_id_without_any_file_is_released(full):
    prefix = prefix_of("run_20260101T000009Z_begun")
    claim_run_id(full, "begun", prefix)
    before = contents(full)
    assert delete_run(full, find_prefix(full, prefix)) == 0
    assert contents(full) == {k: v for k, v in before.items() if k != ".ids/begun"}


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfe\x00", b"x" * 100_000, FAMILY.encode(), b"docs/important", b"../../etc", b"/etc/passwd",
        prefix_of(SECOND).encode(), prefix_of(FIRST).encode() + b"\n", prefix_of(FIRST).encode() + b"/",
        prefix_of("run_20200101T000000Z_a").encode(), b"docs/run_20260101T000000Z_a",
    ],
    ids=lambda content: repr(content)[:50],
)  # fmt: skip
def test_a_damaged_claim_of_an_id_is_named_and_the_run_is_deleted_nevertheless(full, content):
    full.put(".ids/a", content)
    before = contents(full)
    with pytest.raises(DamagedIdError, match=r"'\.ids/a' in .* is damaged") as caught:
        delete_run(full, prefix_of(FIRST))
    assert (caught.value.exit_code, caught.value.files) == (4, 4)
    kept = {k: v for k, v in before.items() if k == ".ids/a" or not belongs_to(k, prefix_of(FIRST))}
    assert contents(full) == kept
    delete_run(full, prefix_of(SECOND))
    assert [run.name for run in list_runs(full)] == [SIBLING]


def test_a_damaged_claim_of_an_id_refuses_to_publish_and_to_resume(make_run, store, tmp_path):
    store.put(".ids/a", b"\xff")
    with pytest.raises(ModelFileError, match=r"\.ids/a"):
        publish_run(store, make_run(tmp_path / "models", FIRST))
    assert contents(store) == {".ids/a": b"\xff"}


def test_the_other_runs_are_deleted_where_one_cannot_be(full):
    rewrite(full, f"{prefix_of(FIRST)}/run_manifest.json", run_id="b")
    done = dict(delete_runs(full, [prefix_of(name) for name in (FIRST, SECOND, SIBLING)]))
    assert isinstance(done.pop(prefix_of(FIRST)), UnsoundRunError)
    assert list(done.values()) == [None, None]
    assert {run.prefix for run in list_runs(full)} == {prefix_of(FIRST)}


def forge(store, **fields):
    """Replace fields of the first run's summary in an index that is valid otherwise."""
    list_runs(store, rebuild=True)
    index = Index.model_validate_json(store.read(INDEX).partition(b"\n")[2])
    changed = [
        entry.model_copy(update={"summary": entry.summary.model_copy(update=fields)})
        if entry.prefix == prefix_of(FIRST)
        else entry
        for entry in index.entries
    ]
    put_index(store, Index(entries=tuple(changed)).model_dump_json().encode())


def put_index(store, content):
    store.put(INDEX, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


@pytest.mark.parametrize("prefix", [FAMILY, "docs", "", ".", "..", "docs/important", prefix_of(SECOND), f"{FAMILY}/"])
def test_a_forged_entry_of_the_index_never_chooses_what_is_deleted(full, prefix):
    forge(full, prefix=prefix, run_id="victim")
    before = contents(full)
    with pytest.raises(RequestError, match="no run 'victim'"):
        find_prefix(full, "victim")
    delete_run(full, find_prefix(full, "a"))
    after = {k: v for k, v in before.items() if not belongs_to(k, prefix_of(FIRST))}
    assert {k: v for k, v in contents(full).items() if k != INDEX} == {k: v for k, v in after.items() if k != INDEX}


def test_a_forged_score_chooses_no_run_to_delete_or_pull(full):
    forge(full, score=0.0)
    assert list_runs(full)[-1].score == 0.0  # the list shows what the index says
    rewrite(full, f"{prefix_of(SECOND)}/run_manifest.json", score=0.1)
    assert find_prefix(full, "best") == prefix_of(SECOND)
    forge(full, score=0.0)
    assert find_in(full, "best").prefix == prefix_of(SECOND)


def test_odd_keys_below_a_run_are_named_and_nothing_is_changed(minio, new_store, make_run, tmp_path):
    store = new_store(minio)
    publish_run(store, make_run(tmp_path / "models", FIRST))
    bucket, _, folder = store.url.removeprefix("s3://").partition("/")
    client = boto3.client("s3", endpoint_url=minio.endpoint, region_name="us-east-1")
    for odd in ("a\nb", "a\tb", "x" * 201, "\u202e.pt"):
        client.put_object(Bucket=bucket, Key=f"{folder}/{prefix_of(FIRST)}/{odd}", Body=b"")
        before = [info.key for info in store.list()]
        with pytest.raises(UnsoundRunError, match="not an object of a run"):
            delete_run(store, prefix_of(FIRST))
        assert [info.key for info in store.list()] == before
        client.delete_object(Bucket=bucket, Key=f"{folder}/{prefix_of(FIRST)}/{odd}")
    delete_run(store, prefix_of(FIRST))
    assert not list(store.list())


def test_files_that_a_publisher_stores_during_a_delete_are_deleted_too(full):
    prefix = prefix_of(FIRST)

    class Busy(KillingStore):
        late = 3

        def _changed(self):
            if self.late and self.changes[-1] == ("delete", f"{prefix}/run_config.json"):
                self.late -= 1
                full.put(f"{prefix}/late_{self.late}.csv", b"")
                full.put(f"{prefix}/run_manifest.json", b"{}")

    delete_run(Busy(full, 10**6, after=True), prefix)
    assert not list(full.list(f"{prefix}/"))


def test_a_publisher_whose_run_is_deleted_before_its_manifest_leaves_no_half_run(store, make_run, tmp_path):
    run = make_run(tmp_path / "models", FIRST, files={"best.pt": b"w"})

    class Unlucky(KillingStore):
        def put(self, key, source, **options):
            if key.endswith("run_manifest.json"):
                delete_run(store, prefix_of(FIRST))
            return super().put(key, source, **options)

    with pytest.raises(Phase2Error, match=r"deleted from .* while it was published"):
        publish_run(Unlucky(store, 10**6, after=True), run)
    assert list_runs(store) == []
    assert not publish_run(store, run).already
    assert PublishedRun.open(store, prefix_of(FIRST)).verify().intact


def test_an_object_too_large_for_a_record_is_named_and_not_read(full, monkeypatch):
    limit = max(len(content) for content in contents(full).values())
    monkeypatch.setattr(base, "READ_BYTES", limit)
    full.put(".ids/a", b"x" * (limit + 1))
    with pytest.raises(ObjectTooLargeError, match=r"\.ids/a' in .* is damaged"):
        full.read(".ids/a")


class TestLinksOnADisk:
    """No link leads a delete out of a store."""

    @pytest.fixture
    def outside(self, tmp_path, make_run):
        run = make_run(tmp_path / "outside", FIRST, files={"best.pt": b"precious"})
        return run.path

    @pytest.fixture
    def root(self, tmp_path):
        (tmp_path / "links" / FAMILY).mkdir(parents=True)
        return tmp_path / "links"

    def test_a_linked_family_is_refused(self, root, outside):
        (root / FAMILY).rmdir()
        (root / FAMILY).symlink_to(outside.parent)
        with pytest.raises(RequestError, match="is a link"):
            delete_run(LocalStore(root), prefix_of(FIRST))
        with pytest.raises(RequestError, match="leads out of the store"):
            LocalStore(root).delete(f"{prefix_of(FIRST)}/best.pt")
        assert (outside / "best.pt").read_bytes() == b"precious"

    def test_a_linked_run_is_refused(self, root, outside):
        (root / FAMILY / FIRST).symlink_to(outside)
        with pytest.raises(RequestError, match="is a link"):
            delete_run(LocalStore(root), prefix_of(FIRST))
        assert (outside / "best.pt").read_bytes() == b"precious"

    def test_links_in_a_run_are_removed_and_not_followed(self, root, outside, make_run):
        run = make_run(root, SECOND).path
        (run / "folder").symlink_to(outside)
        (run / "file.pt").symlink_to(outside / "best.pt")
        (run / "broken").symlink_to(root / "nowhere")
        (run / ".hidden").symlink_to(outside)
        os.mkfifo(run / "pipe")
        (run / "sub").mkdir()
        (run / "sub" / "deep").symlink_to(outside)
        delete_run(LocalStore(root), prefix_of(SECOND))
        assert not run.exists()
        assert (outside / "best.pt").read_bytes() == b"precious"

    def test_a_store_behind_a_link_is_a_store(self, root, tmp_path, make_run):
        (tmp_path / "alias").symlink_to(root)
        run = make_run(root, SECOND).path
        delete_run(LocalStore(tmp_path / "alias"), prefix_of(SECOND))
        assert not run.exists()


TEXTS = st.one_of(
    st.sampled_from(
        ["", ".", "..", FAMILY, "docs", "docs/important", "a", "b", "victim", FIRST, SECOND]
        + [prefix_of(name) for name in NAMES]
        + [f"{prefix_of(FIRST)}/", f"{FAMILY}/../docs", "/etc", "latest", "best", ".ids", INDEX]
    ),
    st.text(max_size=20),
)
FORGED = st.fixed_dictionaries(
    {},
    optional={
        "prefix": TEXTS, "run_id": TEXTS, "score": st.floats(0, 9), "properties": st.lists(TEXTS, max_size=2),
        "status": st.sampled_from(["finished", "failed", "unfinished", "pruned"]), "has_model": st.booleans(),
    },
)  # fmt: skip


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The files of a store with three runs, and its index, as they were published."""
    from phase2.testing.finished_run import finished_run

    folder = tmp_path_factory.mktemp("published")
    store = LocalStore(folder / "store")
    for name in NAMES:
        publish_run(store, finished_run(folder / name, {"best.pt": b"w"}, run_id=name.rpartition("_")[2]))
    for key, content in NO_RUNS.items():
        store.put(key, content)
    return contents(store)


@settings(max_examples=60)
@given(
    forged=st.lists(st.one_of(st.none(), FORGED), min_size=3, max_size=3),
    claims=st.dictionaries(
        st.sampled_from(["a", "b", "a0", "victim"]), st.one_of(st.binary(max_size=9), TEXTS.map(str.encode))
    ),
    name=TEXTS,
)
def test_whatever_the_index_and_the_ids_say_a_delete_removes_one_run_or_nothing(published, forged, claims, name):
    with tempfile.TemporaryDirectory() as folder:
        store = LocalStore(Path(folder))
        for key, content in published.items():
            path = Path(folder, key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for run_id, content in claims.items():
            Path(folder, ".ids", run_id).write_bytes(content)
        list_runs(store, rebuild=True)
        index = json.loads(store.read(INDEX).partition(b"\n")[2])
        for entry, fields in zip(index["entries"], forged, strict=True):
            entry["summary"] = None if fields is None else entry["summary"] | fields
        put_index(store, json.dumps(index).encode())
        before = contents(store)
        chosen = ""
        with suppress(Phase2Error):
            chosen = find_prefix(store, name)
            delete_run(store, chosen)
        after = contents(store)
        gone = {key for key in before if before[key] != after.get(key)} - {INDEX}
        assert after.keys() <= before.keys()
        assert not gone or is_run_prefix(chosen)
        assert all(belongs_to(key, chosen) for key in gone)
