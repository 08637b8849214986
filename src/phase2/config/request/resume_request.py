"""Request to resume a run."""

from __future__ import annotations

from dataclasses import dataclass

from phase2.errors import RequestError, UnknownNameError

CODE, DATA_PATH = "code", "data-path"
CHANGES = (CODE, DATA_PATH)
"""Changes between two attempts of a run that a user may accept with ``--accept-change``."""


@dataclass(frozen=True, slots=True)
class ResumeRequest:
    """Which run to resume, if any, and which changes to accept.

    Attributes:
        wanted: Resume an unfinished run instead of starting one.
        run: Name of the run to resume; None is the newest unfinished run of the request.
        accepted: Changes since its last checkpoint that are accepted, from ``CHANGES``.
        run_id: Id of the run that is started, or continued where it exists; None is that of the process
            (``PHASE2_RUN_ID``), if any.

    Raises:
        RequestError: A run is named, but ``wanted`` is False.
        UnknownNameError: ``accepted`` names no known change.
    """

    wanted: bool = False
    run: str | None = None
    accepted: tuple[str, ...] = ()
    run_id: str | None = None

    def __post_init__(self) -> None:
        if self.run is not None and not self.wanted:
            raise RequestError(
                f"'{self.run}' is neither an option nor the value of one.",
                why="A name that stands alone is a run to continue.",
                fix=f"Write --resume {self.run} to continue that run, or --data {self.run} if it is what you train on.",
            )
        for change in self.accepted:
            if change not in CHANGES:
                raise UnknownNameError.of("change", change, CHANGES)
