"""Scanning a store for runs and their versions, without reading any.

A version changes whenever a run's record does. In a folder it is the size and time of the record; in a bucket, where
asking for these run by run would take too long, it is the digest in the run's marker.
"""

from __future__ import annotations

import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor

from phase2.runs.keys import folder_of, is_key
from phase2.runs.layout import CONFIG, MANIFEST
from phase2.runs.publish.markers import read_markers
from phase2.storage.base import Store
from phase2.storage.parallel import in_parallel

Versions = tuple[str, ...]
# Neither internal folders, which start with a dot, nor the lost+found of a volume, which only root can read.
_FAMILY = re.compile(r"\w[\w.-]*")


def run_prefixes(store: Store) -> list[str]:
    """List the prefixes of all runs, finished or not: every ``<family>/run_...``."""
    families = [family for family in store.folders() if _FAMILY.fullmatch(family)]
    folders = in_parallel(lambda family: list(store.folders(f"{family}/")), families)
    return [prefix for found in folders for prefix in found if "/run_" in prefix and is_key(prefix)]


def run_versions(store: Store) -> dict[str, Versions]:
    """Return the versions of all runs by prefix; a run without exactly one version has to be read."""
    folder = folder_of(store)
    if folder is not None:
        return {prefix: found for prefix in run_prefixes(store) if (found := _record_versions(f"{folder}/{prefix}"))}
    with ThreadPoolExecutor(1) as pool:
        markers = pool.submit(read_markers, store)
        prefixes = run_prefixes(store)
    return {prefix: markers.result().get(prefix, ()) for prefix in prefixes}


def _record_versions(run: str) -> Versions:
    """Return name, size and time of a run's record: its manifest, or its configuration where it has none."""
    for name in (MANIFEST, CONFIG):
        try:
            found = os.stat(f"{run}/{name}")  # noqa: PTH116 - ten thousand paths take a while to make
        except OSError:
            continue
        if stat.S_ISREG(found.st_mode):
            return (f"{name} {found.st_size} {found.st_mtime_ns}",)
    return ()
