"""Memory that this process may still use."""

from __future__ import annotations

import re
from pathlib import Path

from phase2.machine.allocator import return_freed_memory
from phase2.machine.cgroup import memory_limit

_STATUS = Path("/proc/self/status")


def free_memory() -> int | None:
    """Return the bytes between the memory that this process occupies and its limit; None without a limit.

    Only anonymous memory counts, since the page cache makes way; what the allocator keeps for later is returned first.
    """
    limit = memory_limit()
    if limit is None:
        return None
    return_freed_memory()
    return limit - _anonymous(_STATUS)


def _anonymous(status: Path) -> int:
    try:
        found = re.search(r"^RssAnon:\s+(\d+) kB$", status.read_text(), flags=re.MULTILINE)
    except OSError:  # no Linux
        return 0
    return 1024 * int(found[1]) if found else 0
