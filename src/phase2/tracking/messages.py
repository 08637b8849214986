"""Messages between a process that trains and the process of one of its trackers; each is pickled."""

from __future__ import annotations

from dataclasses import dataclass

from phase2.runs.records.history import EpochRow
from phase2.tracking.page import Outcome, RunPage, RunResult


@dataclass(frozen=True, slots=True)
class Rows:
    """Epochs to add.

    Attributes:
        rows: The epochs.
    """

    rows: tuple[EpochRow, ...]


@dataclass(frozen=True, slots=True)
class End:
    """End of the page; nothing follows.

    Attributes:
        outcome: How the run ended.
    """

    outcome: Outcome


Message = RunPage | Rows | RunResult | End
"""Messages of a training, in this order; ``Rows`` any number of times, ``RunResult`` where the run is finished."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a tracker answers.

    Attributes:
        complete: Whether everything that was sent by then is on the page.
        text: Where the page is; or why it is not complete.
        ended: Whether nothing follows.
    """

    complete: bool
    text: str
    ended: bool = False
