"""Whether runs can be kept in a store: a small object is put, read, refused a second time, and deleted."""

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
# Signatures are refused from 15 minutes on; the dates of runs are wrong before.
_SKEWED = timedelta(seconds=60)


def store(url: str | None) -> Iterator[Finding]:
    """Find out about a store.

    Args:
        url: Its address; None is none.
    """
    if url is None:
        yield Finding("store", "address", "none: runs stay in their folder")
        return
    yield Finding("store", "address", url)
    try:
        place = open_store(url, _impatient() if url.startswith("s3://") else None)
        yield from examine(place)
    except Phase2Error as error:
        yield Finding("store", "access", "failed", Problem.of(error))


def _impatient() -> S3Settings:
    """The settings of the environment for somebody who waits for the answer."""
    import dataclasses

    return dataclasses.replace(S3Settings.from_environment(), attempts=_ATTEMPTS, timeout=_TIMEOUT)


def examine(place: Store) -> Iterator[Finding]:
    """Put, read and delete a small object in a store.

    Raises:
        RequestError: The settings are wrong.
        TransientError: It does not answer.
    """
    key, content = f"phase2-doctor/{secrets.token_hex(8)}", secrets.token_bytes(64)
    place.head(key)  # opens the connection, whose time is not the requests'
    try:
        begun, clock = datetime.now(UTC), time.perf_counter()
        put = place.put(key, content)
        seconds = time.perf_counter() - clock
        yield Finding("store", "put", f"{seconds * 1000:.0f} ms")
        half = timedelta(seconds=seconds / 2)
        yield _skew(put.modified - begun - half, unsure=half, by_its_clock=place.url.startswith("s3://"))
        clock = time.perf_counter()
        if place.read(key) != content:
            raise DataError(f"{place.url} returned other bytes than it was given.", fix="Do not keep runs there.")
        yield Finding("store", "read", f"{(time.perf_counter() - clock) * 1000:.0f} ms")
        yield _free_keys(refuses=refuses_taken_keys(place, key))
    finally:
        place.delete(key)
    yield Finding("store", "delete", "done")


def _skew(skew: timedelta, *, unsure: timedelta, by_its_clock: bool) -> Finding:
    seconds = skew.total_seconds()
    # A server tells whole seconds, of some moment of the request.
    is_equal = abs(skew) < timedelta(seconds=2) + unsure
    value = "equal" if is_equal or not by_its_clock else f"the server's is {seconds:+.0f} s off"
    if abs(skew) < _SKEWED:
        return Finding("store", "clock", value)
    problem = Problem(
        f"The clocks of this machine and the server differ by {abs(seconds):.0f} s.",
        "The server refuses requests from 15 minutes on, and the dates of runs are wrong.",
        "Set this machine's clock (NTP).",
    )
    return Finding("store", "clock", value, problem)


def refuses_taken_keys(place: Store, key: str) -> bool:
    """Whether the store itself refuses to put where something is, when it is asked to (``If-None-Match: *``)."""
    from phase2.storage.base import ObjectExistsError
    from phase2.storage.s3.store import S3Store

    try:
        if isinstance(place, S3Store):
            place.put_unasked(key, b"")
        else:
            place.put(key, b"", if_absent=True)
    except ObjectExistsError:
        return True
    return False


def _free_keys(*, refuses: bool) -> Finding:
    if refuses:
        return Finding("store", "If-None-Match", "honoured")
    problem = Problem(
        "The server ignores If-None-Match.",
        "Of two pods that publish one run at the same moment, the later would replace the manifest of the earlier.",
        "Run each run id once at a time, or keep runs in a store that honours it (AWS, MinIO, SeaweedFS).",
    )
    return Finding("store", "If-None-Match", "ignored", problem)
