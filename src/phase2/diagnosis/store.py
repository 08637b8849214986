"""Check of the store: an object is written, read, refused a second time, and deleted."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from phase2.diagnosis.finding import Finding, Problem
from phase2.errors import DataError, Phase2Error
from phase2.storage.base import Store
from phase2.storage.s3.settings import S3Settings
from phase2.storage.urls import open_store

_ATTEMPTS, _TIMEOUT = 2, 10.0
# From 15 minutes on signatures are rejected; the dates of runs are wrong before that.
_MAX_SKEW = timedelta(seconds=60)


def check_store(url: str | None) -> Iterator[Finding]:
    """Check a store.

    Args:
        url: Address of the store; None if there is none.
    """
    if url is None:
        yield Finding("store", "address", "none: runs stay in their folder")
        return
    yield Finding("store", "address", url)
    try:
        store = open_store(url, _quick_settings() if url.startswith("s3://") else None)
        yield from probe(store)
    except Phase2Error as error:
        yield Finding("store", "access", "failed", Problem.of(error))


def _quick_settings() -> S3Settings:
    """Return the settings of the environment with few attempts and a short timeout."""
    import dataclasses

    return dataclasses.replace(S3Settings.from_environment(), attempts=_ATTEMPTS, timeout=_TIMEOUT)


def probe(store: Store) -> Iterator[Finding]:
    """Write, read and delete a small object in a store.

    Raises:
        RequestError: The settings are wrong.
        TransientError: The store does not respond.
    """
    key, content = f"phase2-doctor/{secrets.token_hex(8)}", secrets.token_bytes(64)
    store.head(key)  # opens the connection, so that it is not timed
    try:
        started, clock = datetime.now(UTC), time.perf_counter()
        put = store.put(key, content)
        seconds = time.perf_counter() - clock
        yield Finding("store", "put", f"{seconds * 1000:.0f} ms")
        half = timedelta(seconds=seconds / 2)
        yield _skew(put.modified - started - half, unsure=half, by_its_clock=store.url.startswith("s3://"))
        clock = time.perf_counter()
        if store.read(key) != content:
            raise DataError(f"{store.url} returned other bytes than were written.", fix="Do not keep runs there.")
        yield Finding("store", "read", f"{(time.perf_counter() - clock) * 1000:.0f} ms")
        yield _conditional_writes(refuses=refuses_taken_keys(store, key))
    finally:
        store.delete(key)
    yield Finding("store", "delete", "done")
    yield from _protection(store)


def _protection(store: Store) -> Iterator[Finding]:
    """Say what a bucket keeps of objects that were replaced or deleted."""
    from phase2.storage.protection import ProtectedStore

    if not isinstance(store, ProtectedStore):
        return
    found = store.protection()
    words = {True: "kept", False: "not kept", None: "unknown: these keys may not ask (s3:GetBucketVersioning)"}
    yield Finding("store", "earlier versions", words[found.versioned])
    words = {True: "on", False: "off", None: "unknown: these keys may not ask (s3:GetBucketObjectLockConfiguration)"}
    retention = f", new versions for {found.default_retention}" if found.default_retention else ""
    own = f", published files for {store.retention_days} days" if store.retention_days else ""
    problem = None
    if store.retention_days and found.lock is False:
        problem = Problem(
            "The bucket has no object lock.",
            f"PHASE2_S3_RETENTION_DAYS={store.retention_days} asks for it, so publishing is refused.",
            "Unset it, or switch object lock on.",
        )
    yield Finding("store", "object lock", f"{words[found.lock]}{retention}{own}", problem)


def _skew(skew: timedelta, *, unsure: timedelta, by_its_clock: bool) -> Finding:
    seconds = skew.total_seconds()
    # A server reports whole seconds, at some moment of the request.
    is_equal = abs(skew) < timedelta(seconds=2) + unsure
    value = "equal" if is_equal or not by_its_clock else f"the server's is {seconds:+.0f} s off"
    if abs(skew) < _MAX_SKEW:
        return Finding("store", "clock", value)
    problem = Problem(
        f"The clocks of this machine and the server differ by {abs(seconds):.0f} s.",
        "The server refuses requests from 15 minutes on, and the dates of runs are wrong.",
        "Set this machine's clock (NTP).",
    )
    return Finding("store", "clock", value, problem)


def refuses_taken_keys(store: Store, key: str) -> bool:
    """Whether the store itself rejects a conditional write to an existing key (``If-None-Match: *``)."""
    from phase2.storage.base import ObjectExistsError
    from phase2.storage.s3.store import S3Store

    try:
        if isinstance(store, S3Store):
            store.put_if_none_match(key, b"")
        else:
            store.put(key, b"", if_absent=True)
    except ObjectExistsError:
        return True
    return False


def _conditional_writes(*, refuses: bool) -> Finding:
    if refuses:
        return Finding("store", "If-None-Match", "honoured")
    problem = Problem(
        "The server ignores If-None-Match.",
        "Of two pods that publish one run at the same moment, the later would replace the manifest of the earlier.",
        "Run each run id once at a time, or keep runs in a store that honours it (AWS, MinIO, SeaweedFS).",
    )
    return Finding("store", "If-None-Match", "ignored", problem)
