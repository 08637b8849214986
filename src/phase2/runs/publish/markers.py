"""Stamps: empty objects whose names tell, in one flat listing, which runs of a bucket have a manifest and which one.

``.published/<family>/<run name>.<SHA-256 of the manifest>`` is put after the manifest and removed before it, whoever is
killed in between. So a run without a stamp is only slower to list, since it has to be looked at itself, and a stamp
means nothing where there is no run. A folder needs none: there a look at every run is as quick.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from phase2.runs.keys import folder_of, manifest_key
from phase2.storage.base import Store

STAMPS = ".published"
_STAMP = re.compile(rf"{re.escape(STAMPS)}/(?P<prefix>.+)\.(?P<digest>[0-9a-f]{{64}})")


def stamp_key(prefix: str, digest: str) -> str:
    """Key of the stamp of a run whose manifest has this SHA-256."""
    return f"{STAMPS}/{prefix}.{digest}"


def stamp_run(store: Store, prefix: str, digest: str) -> None:
    """Say that the manifest of a run is stored and has this SHA-256, and no other."""
    if folder_of(store) is not None:
        return
    found = set(_digests(store, prefix))
    for other in found - {digest}:
        store.delete(stamp_key(prefix, other))
    if digest in found:
        return
    store.put(stamp_key(prefix, digest), b"")
    # Whoever removed the run in the meantime did not see a stamp that came late.
    if store.head(manifest_key(prefix)) is None:
        store.delete(stamp_key(prefix, digest))


def unstamp_run(store: Store, prefix: str) -> None:
    """Say nothing about a run any more."""
    if folder_of(store) is None:
        for digest in list(_digests(store, prefix)):
            store.delete(stamp_key(prefix, digest))


def read_stamps(store: Store) -> dict[str, tuple[str, ...]]:
    """The digests that are stamped, by prefix of a run."""
    found = defaultdict(list)
    for info in store.list(f"{STAMPS}/"):
        if stamp := _STAMP.fullmatch(info.key):
            found[stamp["prefix"]].append(stamp["digest"])
    return {prefix: tuple(digests) for prefix, digests in found.items()}


def _digests(store: Store, prefix: str) -> Iterator[str]:
    for info in store.list(stamp_key(prefix, "")):
        # The name of another run may begin with this one's and a dot.
        if (stamp := _STAMP.fullmatch(info.key)) and stamp["prefix"] == prefix:
            yield stamp["digest"]
