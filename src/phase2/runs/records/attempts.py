"""The attempts at a run: one per process that trained it (``attempts.json``)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import AwareDatetime

from phase2.runs.layout import RunDirectory
from phase2.storage.records import Counted, Record, read_rows, write_rows

Status = Literal["finished", "failed", "interrupted"]


class Attempt(Record):
    """One process that trained a run.

    Attributes:
        start: When it started.
        end: When it ended; null while it runs, and where it was killed.
        outcome: How it ended; ``killed`` where it could not record its end.
        reason: Why it ended that way, in words; empty when it finished.
        resumed_from: Checkpoint it resumed from, such as ``epoch 12, step 480``; null where it started from scratch.
        changed: Accepted changes since that checkpoint, such as a version; empty for none.
        host: Pod or machine.
        pruned_at: Epochs trained when a study gave the run up; null where none did.
    """

    start: AwareDatetime
    end: AwareDatetime | None = None
    outcome: Literal["running", "killed"] | Status = "running"
    reason: str = ""
    resumed_from: str | None = None
    changed: str = ""
    host: str = ""
    pruned_at: Counted | None = None


def begin_attempt(run: RunDirectory, *, host: str, resumed_from: str | None = None, changed: str = "") -> int:
    """Record that this process starts training a run; mark earlier attempts without a recorded end as killed.

    Returns:
        Number of this attempt, counted from 1.

    Raises:
        ModelFileError: The file of attempts is damaged.
    """
    before = read_rows(run.attempts, Attempt) if run.attempts.exists() else ()
    # An attempt that recorded "finished" and left no manifest was killed while it sealed the run.
    closed = (a.model_copy(update={"outcome": "killed"}) if a.outcome in ("running", "finished") else a for a in before)
    current = Attempt(start=datetime.now(UTC), resumed_from=resumed_from, changed=changed, host=host)
    write_rows(run.attempts, (*closed, current))
    return len(before) + 1


def merge_attempts(run: RunDirectory, others: tuple[Attempt, ...]) -> None:
    """Merge attempts recorded on other machines, in order of their start; the later state of an attempt wins.

    Raises:
        ModelFileError: The file of attempts is damaged.
    """
    here = read_rows(run.attempts, Attempt) if run.attempts.exists() else ()
    known: dict[tuple[datetime, str], Attempt] = {}
    for attempt in (*here, *others):
        key = (attempt.start, attempt.host)
        if key not in known or known[key].outcome in ("running", "killed"):
            known[key] = attempt
    write_rows(run.attempts, tuple(sorted(known.values(), key=lambda attempt: attempt.start)))


def end_attempt(
    run: RunDirectory, outcome: Status, *, reason: str = "", pruned_at: int | None = None
) -> tuple[Attempt, ...]:
    """Record how this process' attempt ends; return all attempts.

    Raises:
        ModelFileError: The file of attempts is missing or damaged.
    """
    *before, last = read_rows(run.attempts, Attempt)
    end = {"end": datetime.now(UTC), "outcome": outcome, "reason": reason, "pruned_at": pruned_at}
    ended = last.model_copy(update=end)
    attempts = (*before, ended)
    write_rows(run.attempts, attempts)
    return attempts
