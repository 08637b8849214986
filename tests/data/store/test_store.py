"""Laws of the graph store: complete or absent, independent of the workers, and one builder at a time."""

import json
import logging
import os
import resource
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

import phase2.data.store.builder as builder_module
import phase2.data.store.store as store_module
import phase2.data.store.workers as workers_module
from phase2.config.schema import GraphSpec
from phase2.data.graphs.packed import COLUMNS
from phase2.data.graphs.packing import pack
from phase2.data.sources.file_source import FileSource
from phase2.data.store.files import READING, read_graph_files
from phase2.data.store.store import open_or_build_store
from phase2.errors import DataError, RequestError, TransientError

pytestmark = pytest.mark.timeout(60)  # these tests wait for other processes
SPEC = GraphSpec()

# Builds a store in chunks of four records, reports each chunk, and waits after the second for a line of input.
BUILDER = """
import sys
from pathlib import Path
import phase2.data.store.builder as builder
import phase2.data.store.workers as workers
from phase2.config.schema import GraphSpec
from phase2.data.sources.file_source import FileSource
from phase2.data.store.store import open_or_build_store

builder.CHUNK = 4
workers.SERIAL_SECONDS = 0

def progress(done, total):
    print("done", done, flush=True)
    if done == 8:
        sys.stdin.readline()

built = open_or_build_store(
    FileSource(Path(sys.argv[1])), GraphSpec(), cache_dir=Path(sys.argv[2]), workers=int(sys.argv[3]), progress=progress
)
print("built", len(built.graphs), flush=True)
"""


def record(i, **changes):
    rng = np.random.default_rng(i)
    atoms = {
        "lattice_mat": np.diag(rng.uniform(3, 6, 3)).tolist(),
        "coords": [[0, 0, 0], [0.5, 0.5, 0.5]],
        "elements": ["Na", "Cl"],
        "cartesian": False,
    }
    return {"jid": f"x-{i}", "atoms": atoms | changes, "formation_energy_peratom": float(i), "ehull": "na"}


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.json"
    path.write_text(json.dumps([record(i) for i in range(40)]))
    return path


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(builder_module, "CHUNK", 4)


@pytest.fixture(autouse=True)
def workers_at_once(monkeypatch):
    monkeypatch.setattr(workers_module, "SERIAL_SECONDS", 0)


def build(path, cache, **options):
    return open_or_build_store(FileSource(path), SPEC, cache_dir=cache, **({"workers": 1} | options))


def contents(store):
    return {path.name: path.read_bytes() for path in sorted(store.path.iterdir())}


def left_in(cache):
    """Names in the folder of stores, without locks."""
    return sorted(p.name for p in (cache / "graphs").iterdir() if p.suffix != ".lock")


@contextmanager
def builder(path, cache, workers=1, preamble=""):
    """A real process that builds a store, stopped when the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", preamble + BUILDER, str(path), str(cache), str(workers)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until_half_way(process):
    assert process.stdout.readline() == "done 4\n"
    assert process.stdout.readline() == "done 8\n"


def test_a_store_of_an_earlier_reading_is_built_anew_under_the_same_fingerprint(data, cache, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(store_module, "READING", READING - 1)
        before = build(data, cache)
        earlier_name = before.cache_name
    after = build(data, cache)
    assert after.fingerprint == before.fingerprint
    assert after.cache_name != earlier_name
    assert (before.path.name, after.path.name) == (earlier_name, after.cache_name)
    assert set(left_in(cache)) == {earlier_name, after.cache_name}


def test_the_store_holds_the_graphs_of_all_crystals_in_order(data, cache):
    store = build(data, cache)
    source = FileSource(data)
    expected = pack([source.parse(raw) for raw in source.records()], SPEC)
    assert store.graphs.ids.tolist() == [f"x-{i}" for i in range(40)]
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(store.graphs, name), getattr(expected, name), err_msg=name)
    np.testing.assert_array_equal(store.graphs.link_offset, expected.link_offset)
    assert store.rejected == ()
    assert left_in(cache) == [store.path.name]


def test_arrays_are_mapped_not_read(data, cache):
    graphs = build(data, cache).graphs
    assert isinstance(graphs.edge_bond.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        graphs.edge_bond[0] = 1


def test_any_number_of_workers_writes_the_same_bytes(data, tmp_path):
    one, two = build(data, tmp_path / "one"), build(data, tmp_path / "two", workers=2)
    assert contents(one) == contents(two)


def test_workers_start_only_when_building_takes_long(data, tmp_path, monkeypatch):
    before = psutil.Process().children()  # servers of other tests, say
    helpers = []

    def count(done, total):
        helpers.append(len([child for child in psutil.Process().children() if child not in before]))

    monkeypatch.setattr(workers_module, "SERIAL_SECONDS", 60)
    quick = contents(build(data, tmp_path / "quick", workers=2, progress=count))
    assert set(helpers) == {0}
    times = iter([0, 0, 50, 70])
    monkeypatch.setattr(workers_module, "time", SimpleNamespace(monotonic=lambda: next(times)))
    helpers.clear()
    assert contents(build(data, tmp_path / "slow", workers=2, progress=count)) == quick
    assert helpers[:3] == [0, 0, 2]
    assert len(helpers) == 10


@pytest.mark.parametrize(("cores", "expected"), [(0.5, 1), (1.5, 2), (64.0, store_module.MAX_WORKERS)])
def test_the_container_limits_the_workers(monkeypatch, cores, expected):
    monkeypatch.setattr(store_module, "available_cores", lambda: cores)
    assert store_module.worker_count(None) == expected


def test_the_chunk_size_does_not_change_the_files(data, tmp_path, monkeypatch):
    one = build(data, tmp_path / "one")
    monkeypatch.setattr(builder_module, "CHUNK", 40)
    assert contents(build(data, tmp_path / "two")) == contents(one)


def test_a_built_store_is_opened_without_building_or_writing(data, cache):
    first = build(data, cache)
    lock = first.path.with_name(first.path.name + ".lock")
    lock.unlink()
    again = build(data, cache, progress=lambda done, total: pytest.fail("built again"))
    assert again.path == first.path
    assert not lock.exists()


def test_other_data_or_settings_make_another_store(data, cache):
    first = build(data, cache)
    other = open_or_build_store(FileSource(data), GraphSpec(cutoff=4.0), cache_dir=cache, workers=1)
    data.write_text(json.dumps([record(7)]))
    assert len({first.fingerprint, other.fingerprint, build(data, cache).fingerprint}) == 3
    assert len(left_in(cache)) == 3


def test_progress_counts_every_record(data, cache):
    data.write_text(json.dumps([record(0), record(1, elements=["Na", "Qq"]), *map(record, range(2, 10))]))
    seen = []
    build(data, cache, progress=lambda done, total: seen.append(done))
    assert seen == [4, 8, 10]


@pytest.mark.parametrize("workers", [1, 2])
def test_rejected_records_are_listed_with_the_reason(data, cache, workers):
    bad = [
        record(1, elements=["Na", "Qq"]),
        record(2, coords=[[0, 0, 0], [0.001, 0, 0]]),
        {"jid": 'quoted "name", with\nnewline'},
        record(3),
    ]
    data.write_text(json.dumps([record(0), *bad, record(3), *map(record, range(4, 12))]))
    store = build(data, cache, workers=workers)
    assert len(store.graphs) == 10
    reasons = {r.id: r.reason for r in store.rejected}
    assert len(reasons) == 4
    assert "Qq" in reasons["x-1"]
    assert "angstrom apart" in reasons["x-2"]
    assert "no structure" in reasons['quoted "name", with\\u000anewline']
    assert "same id" in reasons["x-3"]
    assert build(data, cache).rejected == store.rejected


def test_a_data_set_without_valid_crystals_leaves_nothing(data, cache):
    data.write_text(json.dumps([record(i, elements=["Na", "Qq"]) for i in range(5)]))
    with pytest.raises(DataError, match=r"None of the 5 records.*Qq"):
        build(data, cache)
    data.write_text("[]")
    with pytest.raises(DataError, match="empty"):
        build(data, cache)
    assert left_in(cache) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_file_that_ends_early_leaves_nothing(data, cache, workers):
    data.write_text(data.read_text()[:-200])
    with pytest.raises(DataError, match=r"data\.json"):
        build(data, cache, workers=workers)
    assert left_in(cache) == []


def damage_cut(folder):
    path = folder / "edge_bond.npy"
    os.truncate(path, path.stat().st_size - 4)


def damage_missing(folder):
    (folder / "link_offset.npy").unlink()


def damage_meta(folder):
    (folder / "meta.json").write_text('{"fingerprint": ')


def damage_other(folder):
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(meta | {"fingerprint": "0" * 64}))


def damage_type(folder):
    array = np.load(folder / "species.npy")
    np.save(folder / "species.npy", array.view(np.int8))


def damage_rejected(folder):
    (folder / "rejected.csv").write_text("")
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(meta | {"rejected": 1}))


@pytest.mark.parametrize(
    "damage", [damage_cut, damage_missing, damage_meta, damage_other, damage_type, damage_rejected]
)
def test_a_damaged_store_is_rebuilt_with_a_warning(data, cache, damage, caplog):
    whole = contents(store := build(data, cache))
    damage(store.path)
    with caplog.at_level(logging.WARNING):
        assert contents(build(data, cache)) == whole
    assert caplog.text.count("It is rebuilt") == 1
    assert left_in(cache) == [store.path.name]


def test_a_store_that_cannot_be_read_now_is_no_damaged_one(data, cache):
    """Where too many files are open, or the disk does not answer; a ``DataError`` would have it built again."""
    folder = build(data, cache).path
    fingerprint = json.loads((folder / "meta.json").read_text())["fingerprint"]
    limit, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    next_file = os.open(os.devnull, os.O_RDONLY)
    os.close(next_file)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_file, hard))
    try:
        with pytest.raises(TransientError, match="No further file can be opened"):
            read_graph_files(folder, fingerprint)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    assert len(read_graph_files(folder, fingerprint).graphs) > 0


def test_killed_half_way_leaves_no_store_and_the_next_builder_cleans_up(data, cache, tmp_path):
    with builder(data, cache, workers=2) as process:
        until_half_way(process)
        workers = psutil.Process(process.pid).children()
        assert len(workers) == 2
        process.kill()
        process.wait()
    psutil.wait_procs(workers, timeout=10)
    assert not any(w.is_running() and w.status() != psutil.STATUS_ZOMBIE for w in workers)
    (leftover,) = left_in(cache)
    assert leftover.endswith(".unfinished")
    (cache / "graphs" / leftover).rename(cache / "graphs" / f".{'0' * 32}.abc.tmp")  # of a store nobody builds again
    store = build(data, cache)
    assert left_in(cache) == [store.path.name]
    assert contents(store) == contents(build(data, tmp_path / "other"))


def test_the_second_of_two_builders_waits_and_finds_the_store(data, cache):
    with builder(data, cache) as first:
        until_half_way(first)
        with builder(data, cache) as second:
            assert "Another process is building" in second.stderr.readline()
            first.stdin.write("\n")
            first.stdin.flush()
            assert second.stdout.readline() == "built 40\n"  # and no "done": it has built nothing
            assert first.wait() == second.wait() == 0
        assert first.stdout.read().endswith("built 40\n")


def test_a_builder_leaves_the_temporary_folder_of_a_living_one_alone(data, cache, tmp_path):
    other = tmp_path / "other.json"
    other.write_text(json.dumps([record(99)]))
    with builder(data, cache) as process:
        until_half_way(process)
        build(other, cache)
        out, err = process.communicate("\n")
        assert out.endswith("built 40\n"), err
    assert len(left_in(cache)) == 2


def test_a_killed_worker_is_an_error_and_leaves_nothing(data, cache):
    before = psutil.Process().children()  # servers of other tests, say

    def kill_a_worker(done, total):
        for child in psutil.Process().children():
            if child not in before:
                with suppress(psutil.NoSuchProcess):  # killed by the call before, and gone by now
                    child.kill()

    with pytest.raises(TransientError, match=r"killed by SIGKILL.*memory"):
        build(data, cache, workers=2, progress=kill_a_worker)
    assert left_in(cache) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_leaves_nothing_behind(data, cache, workers):
    def interrupt(done, total):
        raise KeyboardInterrupt

    before = psutil.Process().children()  # servers of other tests, say
    with pytest.raises(KeyboardInterrupt):
        build(data, cache, workers=workers, progress=interrupt)
    assert left_in(cache) == []
    assert [child for child in psutil.Process().children() if child not in before] == []


def test_a_cache_folder_that_cannot_be_made_is_reported(data, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RequestError, match="PHASE2_CACHE_DIR"):
        build(data, tmp_path / "file" / "cache")


def test_a_full_disk_is_reported_and_leaves_nothing(data, cache):
    # No file may grow beyond 300 bytes: the nearest to a full disk that a test can have.
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
    with builder(data, cache, preamble=limit) as process:
        _, err = process.communicate("\n")
    assert process.returncode != 0
    assert "TransientError: There is no room left in the cache folder" in err
    assert left_in(cache) == []


def test_scripts_need_no_main_guard(data, cache, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(BUILDER)
    with builder(data, cache, workers=2) as piped:
        out, err = piped.communicate("\n")
        assert out.endswith("built 40\n"), err
    run = subprocess.run(
        [sys.executable, script, data, tmp_path / "again", "2"], input="\n", capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert run.stdout.endswith("built 40\n")


def test_no_workers_are_refused(data, cache):
    with pytest.raises(RequestError, match="--workers 0"):
        build(data, cache, workers=0)


def test_the_path_is_below_the_cache_folder(data, cache):
    assert build(data, cache).path.parent == Path(cache) / "graphs"
