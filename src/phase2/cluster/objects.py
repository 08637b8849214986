"""Reading objects of the Kubernetes API: conditions, times, events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

Object = Mapping[str, Any]


def name_of(one: Object) -> str:
    """Its name."""
    return str(one["metadata"]["name"])


def annotation(one: Object, name: str) -> str | None:
    """One of its annotations; None where it has none of this name."""
    found = (one["metadata"].get("annotations") or {}).get(name)
    return None if found is None else str(found)


def condition(one: Object, kind: str) -> Object | None:
    """The condition of this kind, where it is there and true."""
    found = _condition(one, kind)
    return found if found is not None and found.get("status") == "True" else None


def failed_condition(one: Object, kind: str) -> Object | None:
    """The condition of this kind, where it is there and false."""
    found = _condition(one, kind)
    return found if found is not None and found.get("status") == "False" else None


def time_of(text: str | None) -> datetime | None:
    """A time of the API; None where there is none."""
    return None if text is None else datetime.fromisoformat(text)


def newest_first(pods: Iterable[Object]) -> list[Object]:
    """Pods, the one made last first."""
    return sorted(pods, key=lambda pod: (pod["metadata"].get("creationTimestamp") or "", name_of(pod)), reverse=True)


def event_message(events: Iterable[Object], about: Object, *reasons: str) -> str | None:
    """Message of the newest event about an object with one of these reasons; None where there is none."""
    found = events_about(events, about, *reasons)
    return str(max(found, key=_noticed).get("message") or "") if found else None


def events_about(events: Iterable[Object], about: Object, *reasons: str) -> list[Object]:
    """The events about an object with one of these reasons."""
    uid, name = about["metadata"].get("uid"), name_of(about)

    def concerns(event: Object) -> bool:
        involved = event.get("involvedObject") or {}
        return (involved["uid"] == uid) if uid and involved.get("uid") else involved.get("name") == name

    return [event for event in events if event.get("reason") in reasons and concerns(event)]


def _noticed(event: Object) -> str:
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or "")


def _condition(one: Object, kind: str) -> Object | None:
    conditions = (one.get("status") or {}).get("conditions") or []
    return next((found for found in conditions if found.get("type") == kind), None)
