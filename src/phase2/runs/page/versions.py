"""Versions of the runs of a store: a run whose version is unchanged is not read again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress

from phase2.runs.catalog.scan import run_versions
from phase2.runs.keys import folder_of, local_run, manifest_key
from phase2.runs.layout import CONFIG, MANIFEST
from phase2.storage.base import Store
from phase2.storage.parallel import in_parallel

_READERS = 16
_WHILE_TRAINING = ("history.json", "attempts.json")


def page_versions(store: Store) -> dict[str, str]:
    """Return the version of every run by prefix, which changes with whatever the page shows of it.

    Of a run with a manifest it is the manifest's version; of one without, names, sizes and times of its records, which
    change while it trains.

    Raises:
        RequestError: The store cannot be read.
        TransientError: The store does not respond.
    """
    found = run_versions(store)
    folder = folder_of(store)
    if folder is not None:
        return {prefix: _with_progress(f"{folder}/{prefix}", versions[0]) for prefix, versions in found.items()}
    marked = {prefix: versions[0] for prefix, versions in found.items() if len(versions) == 1}
    others = [prefix for prefix in found if prefix not in marked]
    listed = in_parallel(lambda prefix: _listed(store, prefix), others, workers=_READERS)
    return marked | {prefix: version for prefix, version in zip(others, listed, strict=True) if version}


def glance(store: Store) -> frozenset[tuple[str, str, bool]]:
    """Return prefix and version of every run, and whether a process of this machine trains it; nothing is read.

    Raises:
        RequestError: The store cannot be read.
        TransientError: The store does not respond.
    """
    return frozenset((prefix, version, _is_running(store, prefix)) for prefix, version in page_versions(store).items())


def _is_running(store: Store, prefix: str) -> bool:
    run = local_run(store, prefix)
    return run is not None and not run.manifest.exists() and run.is_running()


def _with_progress(run: str, version: str) -> str:
    if version.startswith(f"{MANIFEST} "):
        return version
    return " ".join([version, *_times(run)])


def _times(run: str) -> Iterator[str]:
    for name in _WHILE_TRAINING:
        with suppress(OSError):
            found = os.stat(f"{run}/{name}")  # noqa: PTH116 - as in the scan: thousands of paths take a while to make
            yield f"{name} {found.st_size} {found.st_mtime_ns}"


def _listed(store: Store, prefix: str) -> str:
    """Return a digest of what a bucket lists of a run that has no marker, or several; "" where it has no record."""
    found = list(store.list(f"{prefix}/"))
    if not any(info.key in (manifest_key(prefix), f"{prefix}/{CONFIG}") for info in found):
        return ""
    lines = (f"{info.key} {info.size} {info.modified.timestamp()}\n" for info in found)
    return f"listing {hashlib.sha256(''.join(lines).encode()).hexdigest()}"
