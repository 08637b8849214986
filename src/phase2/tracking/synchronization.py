"""Keeping a page up to date with a training, however often the tracker fails."""

from __future__ import annotations

from phase2.runs.records.history import EpochRow
from phase2.tracking.base import Tracker
from phase2.tracking.messages import End, Message, Rows
from phase2.tracking.page import Outcome, RunPage, RunResult


class PageSynchronizer:
    """What a page should show, and what of it is still to be sent.

    Args:
        tracker: The tracker.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._page: RunPage | None = None
        self._rows: list[EpochRow] = []
        self._result: RunResult | None = None
        self._outcome: Outcome | None = None
        self.address = ""

    def note(self, message: Message) -> None:
        """Note a message."""
        if isinstance(message, RunPage):
            self._page = message
        elif isinstance(message, Rows):
            self._rows.extend(message.rows)
        elif isinstance(message, RunResult):
            self._result = message
        else:
            self._outcome = message.outcome

    @property
    def is_ending(self) -> bool:
        """Whether the end was noted, sent or not."""
        return self._outcome is not None

    def send(self) -> None:
        """Send what is to be sent; whatever the tracker raises leaves the rest for the next call."""
        if self._page is not None:
            self.address = self._tracker.open(self._page)
            self._page = None
        if self._rows:
            self._tracker.log(tuple(self._rows))
            self._rows.clear()
        if self._result is not None:
            self._tracker.finish(self._result)
            self._result = None
        if self._outcome is not None:
            self._tracker.close(self._outcome)

    def abandon(self) -> None:
        """Note that the training died."""
        self.note(End("failed"))
