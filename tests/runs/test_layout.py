"""Run directories: names, collisions, locks, refusals."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.errors import RequestError, TransientError
from phase2.runs.layout import RunDirectory, runs_of_family
from phase2.storage.disk.lock import wait_for_lock

FAMILY = "multitask_cgcnn"
CREATE = """
import sys
from pathlib import Path
from phase2.runs.layout import RunDirectory
for _ in range(10):
    print(RunDirectory.create(Path(sys.argv[1]), "multitask_cgcnn").name)
"""
CLAIM = """
import sys
from pathlib import Path
from phase2.errors import RequestError
from phase2.runs import layout
from phase2.runs.layout import RunDirectory
layout.TIME_FORMAT = sys.argv[2]  # a second of its own, so that names alone do not collide
print("ready", flush=True)
sys.stdin.readline()
for k in range(30):
    try:
        print(RunDirectory.create(Path(sys.argv[1]), "multitask_cgcnn", run_id=f"shared-{k}").run_id)
    except RequestError:
        pass
"""
HOLD = """
import sys
from pathlib import Path
from phase2.runs.layout import RunDirectory
with RunDirectory(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


def python(script, *arguments):
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, check=True
    ).stdout.split()


def test_name_has_utc_time_and_id(tmp_path):
    run = RunDirectory.create(tmp_path, FAMILY)
    assert run.path.parent == tmp_path / FAMILY
    assert run.path.is_dir()
    prefix, time, run_id = run.name.split("_")
    assert (prefix, run_id, len(run_id) >= 6) == ("run", run.run_id, True)
    assert (len(time), time[8], time[-1]) == (16, "T", "Z")
    assert run.family == FAMILY
    assert run.best == run.path / "best.pt"


def test_processes_that_start_together_do_not_collide(tmp_path):
    with ThreadPoolExecutor() as pool:
        names = [name for made in pool.map(lambda _: python(CREATE, tmp_path), range(4)) for name in made]
    assert len(set(names)) == 40
    assert sorted(names) == [run.name for run in runs_of_family(tmp_path / FAMILY)]


def test_exactly_one_of_several_processes_gets_a_shared_id(tmp_path):
    command = [sys.executable, "-c", CLAIM, str(tmp_path)]
    pipe = subprocess.PIPE
    seconds = [f"20260101T00000{k}Z" for k in range(4)]
    claimants = [subprocess.Popen([*command, second], stdin=pipe, stdout=pipe, text=True) for second in seconds]
    for claimant in claimants:
        assert claimant.stdout.readline() == "ready\n"
    for claimant in claimants:
        claimant.stdin.write("go\n")
        claimant.stdin.flush()
    got = [run_id for claimant in claimants for run_id in claimant.communicate()[0].split()]
    assert sorted(got) == sorted(f"shared-{k}" for k in range(30))
    assert len(runs_of_family(tmp_path / FAMILY)) == 30


def test_creating_a_run_excludes_other_processes(tmp_path):
    family = tmp_path / FAMILY
    family.mkdir()
    with ThreadPoolExecutor() as pool:
        with wait_for_lock(family / ".lock"):
            made = pool.submit(RunDirectory.create, tmp_path, FAMILY)
            with pytest.raises(TimeoutError):
                made.result(timeout=0.2)
        assert made.result(timeout=10).path.is_dir()


def test_a_given_id_is_used_once(tmp_path):
    assert RunDirectory.create(tmp_path, FAMILY, run_id="wf-1.a_b").run_id == "wf-1.a_b"
    with pytest.raises(RequestError, match="exists already"):
        RunDirectory.create(tmp_path, FAMILY, run_id="wf-1.a_b")
    assert RunDirectory.create(tmp_path, "multitask_lite_e3nn", run_id="wf-1.a_b").run_id == "wf-1.a_b"


@pytest.mark.parametrize("run_id", ["", "a/b", "..", "-a", "a-", "ü", "a b", "a\n", "x" * 64])
def test_invalid_ids_are_refused(tmp_path, run_id):
    with pytest.raises(RequestError, match="not a valid run id"):
        RunDirectory.create(tmp_path, FAMILY, run_id=run_id)
    assert list(tmp_path.iterdir()) == []


@given(st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True))
def test_id_is_parsed_from_the_name(tmp_path_factory, run_id):
    run = RunDirectory.create(tmp_path_factory.mktemp("models"), FAMILY, run_id=run_id)
    assert RunDirectory(run.path).run_id == run_id


def test_output_that_cannot_be_written_is_a_request_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match="--output") as caught:
        RunDirectory.create(tmp_path / "file", FAMILY)
    assert caught.value.exit_code == 2


def test_lock_excludes_other_processes_until_its_holder_is_killed(run):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    assert run.is_running()
    with pytest.raises(TransientError, match="Another process"), run.lock():
        pass
    holder.kill()
    holder.communicate()
    assert not run.is_running()
    with run.lock():
        assert run.is_running()
    assert not run.is_running()


def test_is_running_neither_takes_the_lock_nor_creates_a_file(run):
    assert not run.is_running()
    assert list(run.path.iterdir()) == []
