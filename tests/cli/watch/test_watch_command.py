"""``phase2 watch`` beside a training: it shows it, on a terminal and without one, and leaves it alone."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager

import pytest

from phase2.cli import main
from phase2.runs.layout import RunDirectory
from phase2.runs.records.manifest import read_manifest

TRAIN = ["train", "--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--no-baselines"]


@contextmanager
def training(models, *words):
    """A training in another process, which has begun."""
    command = [sys.executable, "-m", "phase2", *TRAIN, "--output", str(models), *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not (
            found := [path for path in models.glob("*/run_*/.progress.json") if b'"epoch"' in path.read_bytes()]
        ):
            assert process.poll() is None, "the training ended too soon"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process, RunDirectory(found[0].parent)
    finally:
        process.kill()
        process.wait()


def _with_epochs(models):
    return [path for path in models.glob("*/run_*/.progress.json") if b'"epoch"' in path.read_bytes()]


class Screen:
    """``phase2 watch`` on a terminal of its own."""

    def __init__(self, *words, width=80, height=24, **variables):
        self.ours, self.theirs = pty.openpty()
        self.resize(width, height)
        self.before = termios.tcgetattr(self.theirs)
        environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "phase2", "watch", *words],
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            env=environment | {"TERM": "xterm-256color"} | variables,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - so that Ctrl-C reaches it
        )
        self.shown = b""

    def resize(self, width, height):
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def until(self, pattern, seconds=60):
        """Read until a whole frame has a pattern; returns the frame's lines.

        A frame is whole when the next one begins, or when nothing more comes for two seconds.
        """
        deadline = time.monotonic() + seconds
        frame = ""
        while time.monotonic() < deadline:
            if more := select.select([self.ours], [], [], 2)[0]:
                self.shown += os.read(self.ours, 65536)
            frames = self.shown.rsplit(b"\x1b[H", 2)[1:]
            if whole := frames[:-1] if more else frames:
                frame = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", whole[-1].decode(errors="replace"))
                if re.search(pattern, frame):
                    return frame.splitlines()
        raise AssertionError(f"{pattern} did not appear:\n{frame}")

    def press(self, keys):
        os.write(self.ours, keys)

    def end(self, seconds=20):
        """Wait for the end; the terminal is as before, and shows what it showed before."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "it does not leave"
            if select.select([self.ours], [], [], 0.1)[0]:
                self.shown += os.read(self.ours, 65536)
        while select.select([self.ours], [], [], 0.1)[0]:
            self.shown += os.read(self.ours, 65536)
        assert termios.tcgetattr(self.theirs) == self.before
        assert b"\x1b[?1049l" in self.shown, "the alternate screen was left"
        assert self.shown.rpartition(b"\x1b[?25l")[2].count(b"\x1b[?25h"), "the cursor is there again"
        return self.process.returncode


@pytest.fixture(scope="module")
def long_run(cache, tmp_path_factory):
    with training(tmp_path_factory.mktemp("models"), "--epochs", "5000") as (process, run):
        yield process, run


@pytest.mark.parametrize("keys", [b"q", b"\x03"])
def test_q_and_ctrl_c_leave_the_run_alone(long_run, keys):
    process, run = long_run
    screen = Screen("--store", str(run.path.parents[1]))
    lines = screen.until(r"epoch [1-9]\d*/5000")
    assert all(len(line) <= 80 for line in lines)
    assert any("formation_energy" in line for line in lines)
    assert any(f"{run.run_id}  cgcnn smoke  running" in line for line in lines)
    screen.press(keys)
    assert screen.end() == 0
    assert process.poll() is None


def test_a_terminal_that_changes_its_size_is_drawn_anew(long_run):
    _, run = long_run
    screen = Screen(run.run_id, "--store", str(run.path.parents[1]))
    screen.until(r"epoch [1-9]")
    screen.resize(40, 12)
    os.killpg(screen.process.pid, signal.SIGWINCH)
    deadline = time.monotonic() + 20
    while max(map(len, lines := screen.until("phase2 watch"))) > 40 or len(lines) != 12:
        assert time.monotonic() < deadline, lines
    screen.press(b"q")
    assert screen.end() == 0


def test_without_a_terminal_it_prints_lines_until_the_end(cache, tmp_path):
    with training(tmp_path, "--epochs", "400") as (process, run):
        done = subprocess.run(
            [sys.executable, "-m", "phase2", "watch", run.run_id, "--store", str(tmp_path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=True,
        )
        assert process.wait(60) == 0
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0] == f"{run.run_id} cgcnn smoke running"
    assert any(
        re.search(r"epoch \d+/400, loss .* score .* crystals/s, \d+\w* left, formation_energy ", each) for each in lines
    )
    assert any(re.match(rf"{run.run_id} cgcnn smoke finished", line) for line in lines)
    assert not run.progress.exists(), "a finished run has its manifest"
    assert read_manifest(run.manifest).status == "finished"


def test_what_cannot_be_watched_is_refused(tmp_path, capsys):
    (tmp_path / "models").mkdir()
    assert main(["watch", "--store", str(tmp_path / "models")]) == 0
    assert "no run is in progress" in capsys.readouterr().err
    assert main(["watch", "none", "--store", str(tmp_path / "models")]) == 2
    assert "There is no run 'none'" in capsys.readouterr().err
    assert main(["watch", "--store", str(tmp_path), "--cluster"]) == 2
    assert "--store cannot be combined with --cluster" in capsys.readouterr().err


@pytest.fixture
def one_run(cache, tmp_path):
    """A folder of one run that was killed, of which lines and screens are made without waiting."""
    with training(tmp_path, "--epochs", "5000"):
        pass
    return tmp_path


@pytest.mark.skipif(not sys.prefix.isascii(), reason="Python finds no packages there without UTF-8")
def test_a_terminal_without_these_characters_is_drawn_on_with_others(one_run):
    (name,) = (path.name for path in one_run.glob("*/run_*"))
    screen = Screen(name, "--store", str(one_run), LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    lines = screen.until(r"epoch [1-9]")
    assert not any("\\u" in line for line in lines)
    assert all(len(line) <= 80 for line in lines)
    assert any("epoch" in line and "-----" in line for line in lines)
    screen.press(b"q")
    assert screen.end() == 0


def test_a_terminal_that_cannot_be_drawn_on_gets_lines(one_run):
    (name,) = (path.name for path in one_run.glob("*/run_*"))
    screen = Screen(name, "--store", str(one_run), TERM="dumb")
    assert screen.process.wait(60) == 0
    shown = os.read(screen.ours, 65536).decode()
    assert "cgcnn smoke killed" in shown
    assert "\x1b" not in shown
