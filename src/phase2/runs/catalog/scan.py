"""Which runs a store has, and whether they are still what was read of them, told without reading any.

In a folder the size and the time of a run's record tell; in a bucket, where to ask for them run by run would take too
long, the stamps do.
"""

from __future__ import annotations

import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor

from phase2.runs.keys import folder_of, is_key
from phase2.runs.layout import CONFIG, MANIFEST
from phase2.runs.publish.markers import read_stamps
from phase2.storage.base import Store
from phase2.storage.parallel import in_parallel

Marks = tuple[str, ...]
# No machinery, which begins with a dot, and not the lost+found of a volume, which few may read.
_FAMILY = re.compile(r"\w[\w.-]*")


def run_prefixes(store: Store) -> list[str]:
    """Where runs lie, begun and whole ones: every ``<family>/run_...``."""
    families = [family for family in store.folders() if _FAMILY.fullmatch(family)]
    folders = in_parallel(lambda family: list(store.folders(f"{family}/")), families)
    return [prefix for found in folders for prefix in found if "/run_" in prefix and is_key(prefix)]


def marked_runs(store: Store) -> dict[str, Marks]:
    """All runs with what tells them from earlier states of theirs; without exactly one mark nothing is told."""
    folder = folder_of(store)
    if folder is not None:
        return {prefix: marks for prefix in run_prefixes(store) if (marks := _record_marks(f"{folder}/{prefix}"))}
    with ThreadPoolExecutor(1) as pool:
        stamps = pool.submit(read_stamps, store)
        prefixes = run_prefixes(store)
    return {prefix: stamps.result().get(prefix, ()) for prefix in prefixes}


def _record_marks(run: str) -> Marks:
    """Name, size and time of the record that speaks for a run: its manifest, or its configuration without one."""
    for name in (MANIFEST, CONFIG):
        try:
            found = os.stat(f"{run}/{name}")  # noqa: PTH116 - ten thousand paths take a while to make
        except OSError:
            continue
        if stat.S_ISREG(found.st_mode):
            return (f"{name} {found.st_size} {found.st_mtime_ns}",)
    return ()
