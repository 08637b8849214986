"""Laws of an unfinished graph store: killed at any instant, its next builder continues and ends at the same bytes."""

import json
import logging
import os
import signal
import sys
import time

import numpy as np
import pytest

import phase2.data.store.builder as builder_module
import phase2.data.store.workers as workers_module
from phase2.config.schema import GraphSpec
from phase2.data.sources.file_source import FileSource
from phase2.data.store.builder import build_files
from phase2.data.store.store import open_or_build_store
from phase2.data.store.unfinished import KEPT_DAYS
from phase2.errors import DataError

pytestmark = pytest.mark.timeout(60)  # these tests wait for other processes
RECORDS, CHUNK, SHARD = 42, 4, 2
STORED_IN_SHARDS = RECORDS // (CHUNK * SHARD) * CHUNK * SHARD


def record(i):
    """Names and formulas grow, so that later shards are wider; every ninth record is no crystal."""
    lattice = np.diag(np.random.default_rng(i).uniform(3, 6, 3)).tolist()
    elements = ["Na", "Qq"] if i % 9 == 4 else ["Na", "Cl"] if i < 30 else ["Fe", "O"] * (i // 10)
    coords = [[k / len(elements), 0.5, 0.3 * (k % 2)] for k in range(len(elements))]
    atoms = {"lattice_mat": lattice, "coords": coords, "elements": elements, "cartesian": False}
    return {"jid": "x" * (i // 6) + f"-{i}", "atoms": atoms, "formation_energy_peratom": float(i)}


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(builder_module, "CHUNK", CHUNK)
    monkeypatch.setattr(builder_module, "SHARD", SHARD)
    monkeypatch.setattr(workers_module, "SERIAL_SECONDS", 0)
    monkeypatch.setattr(os, "fsync", lambda file: None)  # the system keeps what a killed process has written


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(record(i)) + "\n" for i in range(RECORDS)))
    return path


@pytest.fixture
def whole(data, tmp_path):
    """Content of the store of a builder that nothing has interrupted."""
    return contents(build(data, tmp_path / "uninterrupted"))


def build(path, cache, workers=1, progress=None):
    return open_or_build_store(FileSource(path), GraphSpec(), cache_dir=cache, workers=workers, progress=progress)


def contents(store):
    return {path.name: path.read_bytes() for path in sorted(store.path.iterdir())}


def folders(cache):
    return sorted(p.name for p in (cache / "graphs").iterdir() if p.suffix != ".lock")


def in_a_killed_process(work):
    """Run in a forked process, which is expected to kill itself; tell whether it did."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def kill_at(records):
    def progress(done, total):
        if done >= records:
            os.kill(os.getpid(), signal.SIGKILL)

    return progress


def kill_at_operation(number, folder):
    """Kill this process at its n-th operation on files below a folder."""
    seen = 0

    def hook(event, words):
        nonlocal seen
        if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.truncate", "os.chmod", "os.rmdir"):
            seen += str(folder) in str(words[0])
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


@pytest.fixture
def killed(data, tmp_path):
    """Cache of a builder that was killed after two shards, in the middle of the third."""
    cache = tmp_path / "cache"
    assert in_a_killed_process(lambda: build(data, cache, progress=kill_at(20)))
    assert [name.rpartition(".")[2] for name in folders(cache)] == ["unfinished"]
    return cache


@pytest.mark.parametrize("workers", [1, 2])
def test_the_next_builder_continues_after_the_last_shard(data, killed, whole, workers):
    seen = []
    store = build(data, killed, workers=workers, progress=lambda done, total: seen.append(done))
    assert seen == [*range(16, RECORDS, CHUNK), RECORDS]
    assert contents(store) == whole
    assert len(store.rejected) == 5
    assert folders(killed) == [store.path.name]


def test_killed_again_and_again_it_ends_at_the_same_bytes(data, tmp_path, whole):
    cache = tmp_path / "cache"
    for records in (8, 20, 24, RECORDS):
        assert in_a_killed_process(lambda records=records: build(data, cache, progress=kill_at(records)))
    seen = []
    assert contents(build(data, cache, progress=lambda done, total: seen.append(done))) == whole
    assert seen == [STORED_IN_SHARDS, RECORDS]


def test_killed_at_any_operation_on_files_it_ends_at_the_same_bytes(data, tmp_path, whole):
    begun = {}
    for number in range(3, 400, 13):
        cache = tmp_path / f"cache-{number}"

        def work(number=number, cache=cache):
            kill_at_operation(number, cache / "graphs" / ".")
            build(data, cache)

        if not in_a_killed_process(work):
            break
        seen: list[int] = []
        store = build(data, cache, progress=lambda done, total, seen=seen: seen.append(done))
        assert contents(store) == whole, number
        assert folders(cache) == [store.path.name]
        begun[number] = seen[0] if seen else RECORDS
    assert set(begun.values()) >= {4, STORED_IN_SHARDS, RECORDS}  # from the beginning, a shard, and when all was there


def damage_array(folder):
    content = bytearray((folder / "positions.npy").read_bytes())
    content[200] ^= 1
    (folder / "positions.npy").write_bytes(content)


def damage_length(folder):
    os.truncate(folder / "ids.parts", 100)


def damage_missing(folder):
    (folder / "bond_count.parts").unlink()


def damage_journal(folder):
    (folder / "journal.json").write_text("{")


def damage_version(folder):
    journal = json.loads((folder / "journal.json").read_text())
    journal["identity"]["versions"]["phase2"] = "0.0.1"
    (folder / "journal.json").write_text(json.dumps(journal))


@pytest.mark.parametrize("damage", [damage_array, damage_length, damage_missing, damage_journal, damage_version])
def test_shards_that_are_not_what_was_committed_are_built_anew(data, killed, whole, damage, caplog):
    damage(killed / "graphs" / folders(killed)[0])
    seen = []
    with caplog.at_level(logging.WARNING):
        assert contents(build(data, killed, progress=lambda done, total: seen.append(done))) == whole
    assert seen[0] == CHUNK
    assert caplog.text.count("It is built anew") == 1


def test_another_data_set_leaves_the_shards_for_some_days_and_does_not_use_them(data, killed, whole, tmp_path):
    changed = tmp_path / "changed.jsonl"
    changed.write_text(data.read_text().replace('"Na"', '"K"'))
    seen = []
    store = build(changed, killed, progress=lambda done, total: seen.append(done))
    assert seen[0] == CHUNK
    assert store.graphs.formulas[0] == "ClK"
    unfinished, _ = folders(killed)
    old = time.time() - (KEPT_DAYS * 24 + 1) * 3600
    os.utime(killed / "graphs" / unfinished, (old, old))
    changed.write_text(data.read_text().replace('"Na"', '"Li"'))
    build(changed, killed)
    assert unfinished not in folders(killed)


def test_an_interrupt_keeps_whole_shards(data, tmp_path, whole):
    def interrupt(done, total):
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(data, tmp_path / "cache", progress=interrupt)
    seen = []
    assert contents(build(data, tmp_path / "cache", progress=lambda done, total: seen.append(done))) == whole
    assert seen[0] == 16


def test_a_file_that_cannot_be_read_leaves_no_shards(data, tmp_path):
    data.write_text(data.read_text()[:-50])
    with pytest.raises(DataError, match=r"data\.jsonl"):
        build(data, tmp_path / "cache")
    assert folders(tmp_path / "cache") == []


def test_without_a_lock_nothing_is_continued(data, killed, whole, tmp_path):
    source, folder = FileSource(data), killed / "graphs" / folders(killed)[0].split(".")[1]
    fingerprint = json.loads(whole["meta.json"])["fingerprint"]
    seen = []
    build_files(
        source, GraphSpec(), folder, fingerprint=fingerprint, workers=1, limits=source.limits,
        progress=lambda done, total: seen.append(done),
    )  # fmt: skip
    assert seen[0] == CHUNK
    assert {path.name: path.read_bytes() for path in sorted(folder.iterdir())} == whole
