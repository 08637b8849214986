"""Resource limits of a container: Linux control groups, versions 1 and 2."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
_NO_LIMIT = 1 << 60  # version 1 writes a number of this order where there is no limit


def cpu_limit(mount: Path = _MOUNT, membership: Path = _MEMBERSHIP) -> float | None:
    """Return the CPU limit in cores, which may be a fraction; None without a limit."""
    return min(_cpu_limits(mount, membership), default=None)


def memory_limit(mount: Path = _MOUNT, membership: Path = _MEMBERSHIP) -> int | None:
    """Return the memory limit in bytes; None without a limit."""
    return min(_memory_limits(mount, membership), default=None)


def _cpu_limits(mount: Path, membership: Path) -> Iterator[float]:
    for folder in _folders(mount, membership, "cpu"):
        words = _words(folder / "cpu.max")  # version 2: "200000 100000" or "max 100000"
        if not words:
            words = _words(folder / "cpu.cfs_quota_us") + _words(folder / "cpu.cfs_period_us")  # version 1: -1 is none
        if len(words) == 2 and all(word.isdecimal() for word in words) and int(words[1]):
            yield int(words[0]) / int(words[1])


def _memory_limits(mount: Path, membership: Path) -> Iterator[int]:
    for folder in _folders(mount, membership, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limits = (int(word) for word in _words(folder / name) if word.isdecimal())
            yield from (limit for limit in limits if limit < _NO_LIMIT)


def _folders(mount: Path, membership: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of this process' groups and of their parents: the limit of each of them applies."""
    for line in _lines(membership):
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        root = mount / controllers if controllers else mount
        inner = root / group.strip("/")
        yield from (inner, *(folder for folder in inner.parents if folder.is_relative_to(root)))
        # In a container the membership may name the host's path while the mount shows the container's own group.
        yield mount / controller if controllers else mount


def _words(path: Path) -> list[str]:
    return [word for line in _lines(path) for word in line.split()]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
