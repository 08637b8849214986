"""Memory of this process: what is its own, and its share of mapped files."""

from __future__ import annotations

import threading
from pathlib import Path

import psutil


class peak_memory:  # noqa: N801 - a context manager
    """Peak of this process's own memory above that at the beginning, bytes: in a list that the end fills."""

    def __enter__(self) -> list[int]:
        self._process, self._found, self._ended = psutil.Process(), [0], threading.Event()
        self._before = own_memory(self._process)
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self._found

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.01):
            self._found[0] = max(self._found[0], own_memory(self._process) - self._before)


def own_memory(process: psutil.Process) -> int:
    """Return the resident memory of a process that no other can share, bytes."""
    memory = process.memory_info()
    return int(memory.rss - memory.shared)


def mapped_memory(folder: Path) -> dict[str, float]:
    """Return how much of a store this process has in memory, and how much of it is its share (PSS), megabytes."""
    found = {"Rss": 0, "Pss": 0, "Anonymous": 0}
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, _, value = line.partition(":")
        if not value or "-" in name.split()[0]:  # the head of a mapping
            inside = str(folder.resolve()) in line
        elif inside and name in found:
            found[name] += int(value.split()[0])
    return {name.lower(): kilobytes / 1e3 for name, kilobytes in found.items()}
