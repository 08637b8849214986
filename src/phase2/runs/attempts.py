"""The processes that worked on a run, one after the other (``attempts.json``)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import AwareDatetime

from phase2.runs.layout import RunDirectory
from phase2.storage.records import Record, read_rows, write_rows

Status = Literal["finished", "failed", "interrupted"]


class Attempt(Record):
    """One process that worked on a run.

    Attributes:
        start: When it began.
        end: When it ended; null while it runs, and for good when it was killed.
        outcome: How it ended; ``killed`` when it could not say so itself.
        reason: Why it ended that way, in words; empty when it finished.
        resumed_from: Checkpoint it continued from, such as ``epoch 12, step 480``; null for a start from nothing.
        changed: What had changed since that checkpoint and was accepted, such as a version; empty for nothing.
        host: Pod or machine.
    """

    start: AwareDatetime
    end: AwareDatetime | None = None
    outcome: Literal["running", "killed"] | Status = "running"
    reason: str = ""
    resumed_from: str | None = None
    changed: str = ""
    host: str = ""


def begin_attempt(run: RunDirectory, *, host: str, resumed_from: str | None = None, changed: str = "") -> None:
    """Note that this process starts to work on a run; one before it that never said its end was killed.

    Raises:
        ModelFileError: The file of attempts is damaged.
    """
    before = read_rows(run.attempts, Attempt) if run.attempts.exists() else ()
    # An attempt that said "finished" and left no manifest was killed while it sealed the run.
    closed = (a.model_copy(update={"outcome": "killed"}) if a.outcome in ("running", "finished") else a for a in before)
    mine = Attempt(start=datetime.now(UTC), resumed_from=resumed_from, changed=changed, host=host)
    write_rows(run.attempts, (*closed, mine))


def merge_attempts(run: RunDirectory, others: tuple[Attempt, ...]) -> None:
    """Add attempts that were made on other machines, in the order of their starts; of one attempt the later word holds.

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


def end_attempt(run: RunDirectory, outcome: Status, *, reason: str = "") -> tuple[Attempt, ...]:
    """Note how this process' work on a run ends; returns all attempts.

    Raises:
        ModelFileError: The file of attempts is missing or damaged.
    """
    *before, last = read_rows(run.attempts, Attempt)
    ended = last.model_copy(update={"end": datetime.now(UTC), "outcome": outcome, "reason": reason})
    attempts = (*before, ended)
    write_rows(run.attempts, attempts)
    return attempts
