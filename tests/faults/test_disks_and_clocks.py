"""Full disks, read-only folders and jumping clocks: a clear error, nothing lost, the same result afterwards."""

import contextlib
import random
import shutil
import time
from pathlib import Path

import pytest

from phase2.runs.catalog.index import list_runs
from phase2.runs.layout import RunDirectory
from phase2.runs.publish.reader import PublishedRun
from phase2.storage.folder import LocalStore
from phase2.testing.same_result import assert_same_result
from phase2.training.checkpoints.checkpoint import load_checkpoint

from .conftest import EVERY_STEP, ROUNDS, WORDS
from .processes import Processes, only_run

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]
EPOCHS = 8
MEGABYTES = 12


class SmallDisk:
    """A file system of a few megabytes that only the processes of a zygote see."""

    def __init__(self, processes: Processes, path: Path) -> None:
        self._processes = processes
        self._path = path
        self.seen = processes.path_inside(path)

    def leave(self, kilobytes: int) -> None:
        """Fill it except for a number of kilobytes."""
        (self.seen / "ballast").unlink(missing_ok=True)
        with (self.seen / "ballast").open("wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                for _ in range(MEGABYTES * 256 + 1):
                    file.write(bytes(4096))
            size = file.tell()
            assert size <= MEGABYTES << 20, "this is not the small disk"
            file.truncate(max(0, size - 1024 * kilobytes))

    def free(self) -> None:
        (self.seen / "ballast").unlink(missing_ok=True)

    def clear(self) -> None:
        for folder in self.seen.iterdir():
            shutil.rmtree(folder)

    def remount(self, how: str) -> None:
        self._processes.shell(f"mount -o remount,{how} {self._path}")


@pytest.fixture(scope="module")
def disk_and_train(tmp_path_factory):
    path = tmp_path_factory.mktemp("disk")
    cache = tmp_path_factory.mktemp("cache")
    environment = {"PHASE2_CACHE_DIR": str(cache), "PHASE2_RUN_ID": "disk", "PHASE2_STORE_PATIENCE": "3"}
    logs = tmp_path_factory.mktemp("logs")
    with Processes(logs, environment, small_disk=(path, f"{MEGABYTES}m")) as processes:

        def train(output: Path, *words: str, **order):
            words = (*WORDS, "--epochs", str(EPOCHS), *EVERY_STEP, "--output", str(output), *words)
            return processes.run(list(words), **order)

        yield SmallDisk(processes, path), path, train


@pytest.mark.parametrize("kilobytes", [0, 4, 40, 200, 700, 1100, 1500, 1900, 2300])
def test_a_disk_that_fills_up_costs_only_time(disk_and_train, whole, kilobytes, done):
    disk, path, train = disk_and_train
    name = f"models-{kilobytes}"
    disk.leave(kilobytes)
    try:
        ended = train(path / name)
    finally:
        disk.free()
    if ended.code != 0:
        assert ended.code == 75, ended.said
        assert "No space left on device" in ended.said
        assert "Traceback" not in ended.said
        done["full disks"] += 1
    ended = train(path / name)
    assert ended.code == 0, ended.said
    assert_same_result(only_run(disk.seen / name), whole(EPOCHS))
    for left in (disk.seen / name).rglob("*"):
        assert not left.name.endswith((".tmp", ".part"))
    disk.clear()


@pytest.mark.parametrize("kilobytes", [0, 60, 600])
def test_a_full_store_does_not_stop_the_training(disk_and_train, whole, tmp_path, kilobytes, done):
    disk, path, train = disk_and_train
    store = path / f"store-{kilobytes}"
    disk.leave(kilobytes)
    try:
        ended = train(tmp_path / "models", "--store", str(store))
    finally:
        disk.free()
    assert ended.code == 75, ended.said
    assert "No space" in ended.said
    if kilobytes:  # a store that cannot even be told of the run is known before anything is trained
        assert_same_result(only_run(tmp_path / "models"), whole(EPOCHS))
    done["full stores"] += 1
    ended = train(tmp_path / "models", "--store", str(store))
    assert ended.code == 0, ended.said
    assert_same_result(only_run(tmp_path / "models"), whole(EPOCHS))
    seen = LocalStore(disk.seen / store.name)
    (summary,) = list_runs(seen)
    result = PublishedRun.open(seen, summary.prefix).verify()
    assert (result.missing, result.damaged, result.extra) == ((), (), ())
    disk.clear()


def test_a_read_only_folder_is_reported_at_once_and_its_run_resumes_later(disk_and_train, whole, done):
    disk, path, train = disk_and_train
    disk.remount("ro")
    try:
        ended = train(path / "read-only")
        assert ended.code == 2, ended.said
        assert "Read-only file system" in ended.said
    finally:
        disk.remount("rw")
    ended = train(path / "read-only", kill_after=1.5)
    disk.remount("ro")
    try:
        again = train(path / "read-only")
        assert again.code == (0 if ended.code == 0 else 2), again.said
        assert "Traceback" not in again.said
    finally:
        disk.remount("rw")
    ended = train(path / "read-only")
    assert ended.code == 0, ended.said
    assert_same_result(only_run(disk.seen / "read-only"), whole(EPOCHS))
    done["read-only folders"] += 2


@pytest.mark.parametrize("seed", range(3))
def test_a_clock_that_jumps_changes_nothing(train, whole, pace, tmp_path, seed, done):
    dice = random.Random(seed)
    store = LocalStore(tmp_path / "store")
    environment = {"PHASE2_RUN_ID": "clock"}
    last = 0
    for attempt in range(200):
        shift = dice.uniform(-400, 400) * 86400
        jumps = [dice.uniform(-86400, 86400) for _ in range(200)]
        kill_after = dice.uniform(0.1, 1) * pace if attempt < 6 * ROUNDS else None
        order = {"environment": environment, "clock": time.time() + shift, "jumps": jumps, "kill_after": kill_after}
        ended = train(tmp_path / "models", "--store", store.url, **order)
        done["clock jumps"] += len(jumps) + 1
        if ended.code == 0:
            break
        assert ended.killed, ended.said
        if found := list((tmp_path / "models").glob("multitask_*/run_*/checkpoint.pt")):
            step = load_checkpoint(RunDirectory(found[0].parent).checkpoint).step
            assert step >= last
            last = step
    assert ended.code == 0, ended.said
    assert_same_result(only_run(tmp_path / "models"), whole())
    (summary,) = list_runs(store)
    assert PublishedRun.open(store, summary.prefix).verify().intact
