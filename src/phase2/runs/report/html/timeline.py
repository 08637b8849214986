"""The attempts at a run: who trained it when, from where, and why each ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from phase2.runs.records.attempts import Attempt
from phase2.runs.report.html.facts import duration


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt as text.

    Attributes:
        number: Counted from 1.
        start: When it started, UTC.
        took: How long it took; empty where its end is not known.
        host: Pod or machine.
        outcome: How it ended.
        resumed_from: Checkpoint that it resumed from, or ``the first step``.
        reason: Why it ended, and what had changed since the checkpoint.
        left: Where its bar begins, percent of the time of the run.
        width: Length of its bar, percent.
    """

    number: int
    start: str
    took: str
    host: str
    outcome: str
    resumed_from: str
    reason: str
    left: float
    width: float


def attempt_rows(attempts: Sequence[Attempt]) -> list[AttemptRow]:
    """Return attempts as text, with their place in the time from the first start to the last end."""
    if not attempts:
        return []
    first = attempts[0].start
    ends = [_end(attempts, k) for k in range(len(attempts))]
    whole = max((max(ends) - first).total_seconds(), 1e-9)
    return [
        AttemptRow(
            number=k + 1,
            start=f"{one.start:%Y-%m-%d %H:%M:%S}",
            took=duration((one.end - one.start).total_seconds()) if one.end else "",
            host=one.host,
            outcome=one.outcome,
            resumed_from=one.resumed_from or "the first step",
            reason="; ".join(filter(None, (one.reason, f"changed: {one.changed}" if one.changed else ""))),
            left=round(100 * (one.start - first).total_seconds() / whole, 2),
            width=round(max(0.5, 100 * (ends[k] - one.start).total_seconds() / whole), 2),
        )
        for k, one in enumerate(attempts)
    ]


def _end(attempts: Sequence[Attempt], k: int) -> datetime:
    """End of an attempt; where it was killed, the start of the next at the latest."""
    one = attempts[k]
    if one.end is not None:
        return one.end
    return attempts[k + 1].start if k + 1 < len(attempts) else one.start
