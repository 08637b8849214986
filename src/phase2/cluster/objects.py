"""Accessors for objects of the Kubernetes API: conditions, times, events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

Object = Mapping[str, Any]


def name_of(obj: Object) -> str:
    """Return an object's name."""
    return str(obj["metadata"]["name"])


def namespace_of(obj: Object) -> str:
    """Return the namespace of an object; ``default`` if it names none, as in a manifest."""
    return str(obj["metadata"].get("namespace") or "default")


def annotation(obj: Object, key: str) -> str | None:
    """Return an annotation of an object; None if it has none of this key."""
    found = (obj["metadata"].get("annotations") or {}).get(key)
    return None if found is None else str(found)


def condition(obj: Object, kind: str) -> Object | None:
    """Return the condition of a type if its status is True."""
    found = _condition(obj, kind)
    return found if found is not None and found.get("status") == "True" else None


def failed_condition(obj: Object, kind: str) -> Object | None:
    """Return the condition of a type if its status is False."""
    found = _condition(obj, kind)
    return found if found is not None and found.get("status") == "False" else None


def time_of(text: str | None) -> datetime | None:
    """Parse a timestamp of the API; None stays None."""
    return None if text is None else datetime.fromisoformat(text)


def newest_first(pods: Iterable[Object]) -> list[Object]:
    """Sort pods by creation time, newest first."""
    return sorted(pods, key=lambda pod: (pod["metadata"].get("creationTimestamp") or "", name_of(pod)), reverse=True)


def event_message(events: Iterable[Object], about: Object, *reasons: str) -> str | None:
    """Return the message of the newest event about an object with one of these reasons; None if there is none."""
    found = events_about(events, about, *reasons)
    return str(max(found, key=last_seen).get("message") or "") if found else None


def events_about(events: Iterable[Object], about: Object, *reasons: str) -> list[Object]:
    """Select the events about an object with one of these reasons.

    An object without a uid is recognized by its kind, name and namespace, as far as it and the event have them.
    """
    uid, metadata = about["metadata"].get("uid"), about["metadata"]
    identity = {"kind": about.get("kind"), "name": metadata["name"], "namespace": metadata.get("namespace")}

    def concerns(event: Object) -> bool:
        involved = event.get("involvedObject") or {}
        if uid and involved.get("uid"):
            return bool(involved["uid"] == uid)
        return all(involved.get(key) in {None, value} for key, value in identity.items() if value)

    return [event for event in events if event.get("reason") in reasons and concerns(event)]


def last_seen(event: Object) -> str:
    """Return the time at which an event was seen last, as the server writes it; "" if it has none."""
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or "")


def _condition(obj: Object, kind: str) -> Object | None:
    conditions = (obj.get("status") or {}).get("conditions") or []
    return next((found for found in conditions if found.get("type") == kind), None)
