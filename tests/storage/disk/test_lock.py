"""File locks: one holder, released at its end, unaffected by checks, optional where not supported."""

import errno
import fcntl
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from phase2.storage.disk.lock import hold_shared, is_locked, try_lock, wait_for_lock

HOLD = """
import sys
from pathlib import Path
from phase2.storage.disk.lock import try_lock
with try_lock(Path(sys.argv[1])) as got:
    print(got, flush=True)
    sys.stdin.read()
"""


def take(path):
    with try_lock(path) as got:
        return got


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.lock"


def test_another_process_is_excluded_until_the_holder_is_killed(path):
    pipe = subprocess.PIPE
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdin=pipe, stdout=pipe, text=True)
    assert holder.stdout.readline() == "True\n"
    assert is_locked(path) is True
    with try_lock(path) as got:
        assert not got
    holder.kill()
    holder.communicate()
    assert is_locked(path) is False
    with try_lock(path) as got:
        assert got


def test_waiting_logs_the_purpose_and_gets_the_lock(path, caplog):
    def hold():
        with wait_for_lock(path, purpose="counting sheep") as held:
            return held

    with ThreadPoolExecutor() as pool, caplog.at_level(logging.WARNING):
        with wait_for_lock(path, purpose="counting sheep") as held:
            assert held
            assert caplog.text == ""
            waiter = pool.submit(hold)
            with pytest.raises(TimeoutError):
                waiter.result(timeout=0.2)
        assert waiter.result(timeout=10)
    assert "Another process is counting sheep" in caplog.text


def test_a_check_is_not_mistaken_for_a_holder(path):
    path.touch()
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # as is_locked() does for an instant
        assert is_locked(path) is False
        with ThreadPoolExecutor() as pool:
            attempt = pool.submit(take, path)
            fcntl.flock(file, fcntl.LOCK_UN)
            assert attempt.result(timeout=10)


def test_is_locked_creates_no_file(path):
    assert is_locked(path) is False
    assert not path.exists()


def test_a_file_system_without_locks_excludes_nobody(path, monkeypatch):
    def no_locks(file, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with try_lock(path) as first, try_lock(path) as second, wait_for_lock(path) as held:
        assert first
        assert second
        assert not held
        assert is_locked(path) is None


def test_a_shared_lock_is_held_with_others_until_its_process_ends(path):
    program = "import sys; from pathlib import Path; from phase2.storage.disk.lock import hold_shared\n"
    program += "for _ in range(2): hold_shared(Path(sys.argv[1]))\nprint('held', flush=True); sys.stdin.read()"
    pipe = subprocess.PIPE
    words = [sys.executable, "-c", program, str(path)]
    with (
        subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as one,
        subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as other,
    ):
        assert [reader.stdout.readline() for reader in (one, other)] == ["held\n"] * 2
        assert not take(path)
        one.communicate("")
        assert not take(path)
        other.communicate("")
        assert take(path)


def test_where_nothing_can_be_written_nothing_is_held(tmp_path):
    hold_shared(tmp_path / "missing" / "a.lock")
    assert list(tmp_path.iterdir()) == []
