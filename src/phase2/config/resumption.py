"""How a run is to be continued, in the user's words."""

from __future__ import annotations

from dataclasses import dataclass

from phase2.errors import RequestError, UnknownNameError

CODE, DATA_PATH = "code", "data-path"
CHANGES = (CODE, DATA_PATH)
"""What may change between two attempts of a run when the user says so: it decides no number by itself."""


@dataclass(frozen=True, slots=True)
class ResumeRequest:
    """Which run to continue, if any.

    Attributes:
        wanted: Continue an unfinished run rather than begin one.
        run: The run to continue; None is the newest unfinished one of the request.
        accepted: Changes since its last checkpoint that are accepted, of ``CHANGES``.

    Raises:
        RequestError: A run is named, but none is to be continued.
        UnknownNameError: A change has no such name.
    """

    wanted: bool = False
    run: str | None = None
    accepted: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.run is not None and not self.wanted:
            raise RequestError(
                f"'{self.run}' is neither an option nor the value of one.",
                why="A name that stands alone is a run to continue.",
                fix=f"Write --resume {self.run} to continue that run.",
            )
        for change in self.accepted:
            if change not in CHANGES:
                raise UnknownNameError.of("change", change, CHANGES)
