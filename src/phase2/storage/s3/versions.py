"""Versions of objects in a bucket, and their locks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import itemgetter

from phase2.errors import RequestError
from phase2.storage.protection import Protection
from phase2.storage.s3.requests import Requests, Response

_MODE = "GOVERNANCE"


def protection(requests: Requests) -> Protection:
    """Return what a bucket keeps of objects that were replaced or deleted."""
    try:
        versioned = requests.call("get_bucket_versioning").get("Status") == "Enabled"
    except RequestError:
        return Protection(None, None)
    if not versioned:
        return Protection(versioned=False, lock=False)
    try:
        found = requests.call("get_object_lock_configuration").get("ObjectLockConfiguration", {})
    except RequestError as error:
        return Protection(versioned=True, lock=None if "AccessDenied" in error.why else False)
    return Protection(versioned=True, lock=found.get("ObjectLockEnabled") == "Enabled", default_retention=_rule(found))


def may_exist(requests: Requests) -> bool:
    """Return whether a bucket may have earlier versions: it keeps them, did so once, or does not say."""
    try:
        return bool(requests.call("get_bucket_versioning").get("Status"))
    except RequestError:
        return True


def _rule(found: Response) -> str:
    rule = found.get("Rule", {}).get("DefaultRetention", {})
    for unit in ("Days", "Years"):
        if unit in rule:
            return f"{rule[unit]} {unit.lower()}, {rule.get('Mode', '?')}"
    return ""


def retain(requests: Requests, key: str, until: datetime) -> None:
    """Lock the current version of an object until a time; who may bypass governance can still remove it."""
    requests.call("put_object_retention", key, Retention={"Mode": _MODE, "RetainUntilDate": until})


def replaced(requests: Requests, prefix: str) -> dict[str, list[str]]:
    """Return the versions, oldest first, of objects that were replaced since they were stored under a free key.

    Args:
        requests: Requests to the bucket.
        prefix: Beginning of their full keys; what is below another slash is left out.
    """
    entries: dict[str, list[Response]] = defaultdict(list)
    for entry in listed(requests, prefix, Delimiter="/"):
        entries[entry["Key"]].append(entry)
    found = {key: _since_deleted(each) for key, each in entries.items()}
    return {key: ids for key, ids in found.items() if len(ids) > 1}


def _since_deleted(entries: Sequence[Response]) -> list[str]:
    """Return the versions of one object since it was last deleted, oldest first; markers have no size."""
    deleted = max((each["LastModified"] for each in entries if "Size" not in each), default=None)
    stored = [each for each in entries if "Size" in each and (deleted is None or each["LastModified"] > deleted)]
    stored.reverse()  # Servers list the newest first, and may give two versions the same second.
    return [each["VersionId"] for each in sorted(stored, key=itemgetter("LastModified"))]


def listed(requests: Requests, prefix: str, **options: str) -> Iterator[Response]:
    """Yield each version and delete marker of the objects whose keys start with a prefix; markers have no size."""
    start: dict[str, str] = {}
    while True:
        page = requests.call("list_object_versions", Prefix=prefix, **options, **start)
        yield from page.get("Versions", [])
        yield from page.get("DeleteMarkers", [])
        if not page.get("IsTruncated"):
            return
        # A page that ends with a folder has no version to go on from, and servers refuse an empty one.
        start = {name: page[f"Next{name}"] for name in ("KeyMarker", "VersionIdMarker") if page.get(f"Next{name}")}


def delete_versions(requests: Requests, prefix: str) -> int:
    """Remove all versions of objects whose keys start with a prefix.

    Raises:
        RequestError: One is locked, or the keys may not remove versions; the others may be gone.
    """
    found = [(each["Key"], each["VersionId"]) for each in listed(requests, prefix)]
    for key, version in found:
        try:
            requests.call("delete_object", key, VersionId=version)
        except RequestError as error:
            raise RequestError(
                f"The version {version} of '{key}' in {requests.place} is not removed.",
                why=f"{error.why} It may be locked by a retention period.",
                fix="Wait until it ends, or use keys of a maintainer (s3:DeleteObjectVersion).",
            ) from error
    return len(found)
