"""Markers: empty objects whose names say, in one flat listing, which runs of a bucket have a manifest and which one.

``.published/<family>/<run name>.<SHA-256 of the manifest>`` is put after the manifest and deleted before it. A process
may be killed in between: a run without a marker is only slower to list, since it has to be read, and a marker without
a run is ignored. A folder needs no markers: there every run is as quick to inspect.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from phase2.runs.keys import folder_of, manifest_key
from phase2.storage.base import Store

MARKERS = ".published"
_MARKER = re.compile(rf"{re.escape(MARKERS)}/(?P<prefix>.+)\.(?P<digest>[0-9a-f]{{64}})")


def marker_key(prefix: str, digest: str) -> str:
    """Return the key of the marker of a run whose manifest has this SHA-256."""
    return f"{MARKERS}/{prefix}.{digest}"


def put_marker(store: Store, prefix: str, digest: str) -> None:
    """Mark a run as published with a manifest of this SHA-256, and no other."""
    if folder_of(store) is not None:
        return
    found = set(_digests(store, prefix))
    for other in found - {digest}:
        store.delete(marker_key(prefix, other))
    if digest in found:
        return
    store.put(marker_key(prefix, digest), b"")
    # A process that deleted the run in the meantime did not see this marker.
    if store.head(manifest_key(prefix)) is None:
        store.delete(marker_key(prefix, digest))


def remove_markers(store: Store, prefix: str) -> None:
    """Delete the markers of a run."""
    if folder_of(store) is None:
        for digest in list(_digests(store, prefix)):
            store.delete(marker_key(prefix, digest))


def read_markers(store: Store) -> dict[str, tuple[str, ...]]:
    """Return the digests of the markers, by prefix of the run."""
    found = defaultdict(list)
    for info in store.list(f"{MARKERS}/"):
        if marker := _MARKER.fullmatch(info.key):
            found[marker["prefix"]].append(marker["digest"])
    return {prefix: tuple(digests) for prefix, digests in found.items()}


def _digests(store: Store, prefix: str) -> Iterator[str]:
    for info in store.list(marker_key(prefix, "")):
        # The name of another run may start with this one's and a dot.
        if (marker := _MARKER.fullmatch(info.key)) and marker["prefix"] == prefix:
            yield marker["digest"]
