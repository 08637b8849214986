"""One thing that was looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from phase2.errors import Phase2Error, TransientError


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with it.

    Attributes:
        what: What is the case.
        why: What comes of it.
        fix: What to do.
        exit_code: Code that the process should end with; 0 for what a training can live with.
    """

    what: str
    why: str
    fix: str
    exit_code: int = 0

    @classmethod
    def of(cls, error: Phase2Error) -> Problem:
        """The problem that an error is."""
        return cls(error.what, error.why, error.fix, error.exit_code)


@dataclass(frozen=True, slots=True)
class Finding:
    """A fact, and what is wrong with it.

    Attributes:
        topic: What it belongs to.
        name: What was looked at.
        value: What was found.
        problem: What is wrong; None if nothing is.
    """

    topic: str
    name: str
    value: str
    problem: Problem | None = None


def exit_code(findings: Iterable[Finding]) -> int:
    """Code of all findings: 0 if a training can go on; 75 if waiting is all that can help; else that of the first."""
    codes = [finding.problem.exit_code for finding in findings if finding.problem and finding.problem.exit_code]
    lasting = [code for code in codes if code != TransientError.exit_code]
    return next(iter(lasting or codes), 0)


def size(count: float) -> str:
    """Bytes for people."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
