"""Durations in the messages of states. Pure."""

from __future__ import annotations

from datetime import datetime

from phase2.cluster.request.resources import format_duration


def duration_phrase(start: datetime | None, end: datetime | None) -> str:
    """Return how long a run took, to follow "succeeded"; empty if a time is missing."""
    return f" after {format_duration((end - start).total_seconds())}" if start and end else ""


def elapsed_phrase(start: datetime | None, now: datetime) -> str:
    """Return the time since the start of a run, to follow its state; empty before the start."""
    return f", {format_duration(max(0.0, (now - start).total_seconds()))} after the start" if start else ""
