"""Result of one check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from phase2.errors import Phase2Error, TransientError


@dataclass(frozen=True, slots=True)
class Problem:
    """Problem that a check found.

    Attributes:
        what: What is wrong.
        why: Why it matters.
        fix: What to do.
        exit_code: Exit code for it; 0 if a training works nevertheless.
    """

    what: str
    why: str
    fix: str
    exit_code: int = 0

    @classmethod
    def of(cls, error: Phase2Error) -> Problem:
        """Convert an error to a problem."""
        return cls(error.what, error.why, error.fix, error.exit_code)


@dataclass(frozen=True, slots=True)
class Finding:
    """Fact about the environment, and its problem.

    Attributes:
        topic: Group of the check.
        name: What was checked.
        value: What was found.
        problem: The problem; None if there is none.
    """

    topic: str
    name: str
    value: str
    problem: Problem | None = None


def exit_code(findings: Iterable[Finding]) -> int:
    """Return the exit code of all findings: 0 without problems, 75 if all are transient, else that of the first."""
    codes = [finding.problem.exit_code for finding in findings if finding.problem and finding.problem.exit_code]
    permanent = [code for code in codes if code != TransientError.exit_code]
    return next(iter(permanent or codes), 0)


def format_size(count: float) -> str:
    """Format a number of bytes."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
