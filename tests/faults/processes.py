"""Commands of phase2 in separate processes that can be killed at any instant, and the files they leave."""

import json
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from phase2.runs.layout import RunDirectory

ZYGOTE = Path(__file__).with_name("zygote.py")


@dataclass
class ProcessExit:
    """End of a process: its exit code (negative: the signal) and its output."""

    code: int
    said: str
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


class Processes:
    """Context manager that runs commands one after the other.

    Args:
        folder: Folder for their output.
        environment: Environment variables of all of them.
        small_disk: A folder and the size of the file system that only these processes see there.
    """

    def __init__(self, folder: Path, environment: dict[str, str], small_disk: tuple[Path, str] | None = None) -> None:
        self._folder = folder
        alone = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        command = [sys.executable, str(ZYGOTE)]
        if small_disk is not None:
            path, size = small_disk
            mount = f"mount -t tmpfs -o size={size} none {shlex.quote(str(path))}"
            command = [*_own_mounts(), "sh", "-c", f"{mount} && exec {shlex.join(command)}"]
        self._zygote = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | alone | environment,
        )
        self._n = 0
        self.shell("true")  # answers when everything is imported and mounted

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        self._zygote.stdin.close()
        self._zygote.wait(60)

    def run(
        self, argv: list[str], *, kill_after: float | None = None, death: dict | None = None, **order
    ) -> ProcessExit:
        """Run a command to its end, or kill it after a number of seconds."""
        self._n += 1
        log, count = self._folder / f"{self._n}.log", self._folder / f"{self._n}.json"
        log.touch()  # a process that is killed at once has not opened it
        order = {"environment": {}, "argv": argv, "log": str(log), "count": str(count), "death": death} | order
        self._order(order)
        pid = self._answer()["pid"]
        if kill_after is not None:
            _kill(pid, kill_after)
        code = self._answer()["code"]
        return ProcessExit(code, log.read_text(), json.loads(count.read_text()) if count.exists() else {})

    def shell(self, command: str) -> None:
        """Run a shell command in the mount namespace of the processes."""
        self._order({"shell": command})
        assert self._answer()["code"] == 0, command

    def path_inside(self, path: Path) -> Path:
        """Return a path of theirs as this process sees it."""
        return Path(f"/proc/{self._zygote.pid}/root{path}")

    def _order(self, order: dict) -> None:
        self._zygote.stdin.write(json.dumps(order) + "\n")
        self._zygote.stdin.flush()

    def _answer(self) -> dict:
        return json.loads(self._zygote.stdout.readline())


def _kill(pid: int, seconds: float) -> None:
    """Kill a process after a number of seconds, unless it ends before."""
    descriptor = os.pidfd_open(pid)
    try:
        if not select.select([descriptor], [], [], seconds)[0]:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    finally:
        os.close(descriptor)


def _own_mounts() -> list[str]:
    """Return the command that runs another one in a new mount namespace, as root or as a user."""
    for command in (["unshare", "-m"], ["unshare", "-Urm"]):
        if (
            shutil.which("unshare")
            and not subprocess.run([*command, "true"], capture_output=True, check=False).returncode
        ):
            return command
    if os.environ.get("CI"):
        raise RuntimeError("This machine allows no mounts of one's own (unshare -m), which the fault tests need.")
    pytest.skip("This machine allows no mounts of one's own (unshare -m).")


def only_run(output: Path) -> RunDirectory:
    (path,) = output.glob("multitask_*/run_*")
    return RunDirectory(path)
