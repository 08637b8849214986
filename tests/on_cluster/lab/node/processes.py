"""The components as processes, recognized by an environment variable, whichever process started them."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil
from tests.on_cluster.lab.folders import Folders

OWNER, PART = "PHASE2_TEST_CLUSTER", "PHASE2_TEST_CLUSTER_PART"


class Processes:
    """Processes of the cluster in one folder."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def start(self, name: str, command: list[str], environment: dict[str, str] | None = None) -> None:
        """Start a component that outlives this process; its output goes to its log."""
        self._folders.logs.mkdir(parents=True, exist_ok=True)
        mine = {OWNER: str(self._folders.root), PART: name}
        with self.log(name).open("ab") as log:
            subprocess.Popen(
                command,
                cwd=self._folders.keys,
                env=os.environ | mine | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def log(self, name: str) -> Path:
        return self._folders.logs / f"{name}.log"

    def log_tail(self, name: str) -> str:
        return self.log(name).read_text(errors="replace")[-1500:] if self.log(name).exists() else ""

    def find(self, name: str | None = None) -> list[psutil.Process]:
        """Return the running processes of a component, or of all, with their children."""
        found = []
        for process in psutil.process_iter():
            try:
                variables = process.environ()
                alive = process.status() != psutil.STATUS_ZOMBIE
            except psutil.Error:
                continue
            ours = variables.get(OWNER) == str(self._folders.root) and name in (None, variables.get(PART))
            if ours and alive:
                found.append(process)
        return found

    def stop(self, name: str | None = None, *, kill: bool = False, shims: bool = False, wait: float = 20) -> None:
        """Stop a component, or all; a process that does not end in time is killed.

        Containers outlive their containerd under their shims, which are stopped only with all, or with ``shims``.
        """
        everything = name is None or shims
        found = [each for each in self.find(name) if everything or "containerd-shim" not in each.name()]
        for process in found:
            _send(process, signal.SIGKILL if kill else signal.SIGTERM)
        _, stubborn = psutil.wait_procs(found, timeout=wait)
        for process in stubborn:
            _send(process, signal.SIGKILL)
        psutil.wait_procs(stubborn, timeout=wait)


def _send(process: psutil.Process, number: int) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
