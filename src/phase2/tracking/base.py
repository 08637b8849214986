"""What a tracker does with the page of a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from phase2.runs.records.history import EpochRow
from phase2.tracking.page import Outcome, RunPage, RunResult


class Tracker(ABC):
    """Tracker of one run, used by one thread of a process of its own.

    Methods may raise anything and may be called again: what is on the page already is not written twice.
    """

    @abstractmethod
    def open(self, page: RunPage) -> str:
        """Make the page of a run or continue it, and add the epochs that it lacks.

        Returns:
            Where the page can be seen.
        """

    @abstractmethod
    def log(self, rows: Sequence[EpochRow]) -> None:
        """Add epochs to the page."""

    @abstractmethod
    def finish(self, result: RunResult) -> None:
        """Add what a finished run leaves."""

    @abstractmethod
    def close(self, outcome: Outcome) -> None:
        """Mark on the page how the run ended, and send what is not sent yet."""
