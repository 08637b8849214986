"""Filters for lists of runs. Imports nothing heavy: the command line validates its options with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING

from phase2.config.levels import ALGORITHMS, MODES
from phase2.errors import RequestError, UnknownNameError
from phase2.properties import KEY, KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from phase2.runs.catalog.summary import RunSummary

STATUSES = ("finished", "failed", "interrupted", "running", "unfinished", "pruned")

_SHORTEST_FINGERPRINT = 6
_AGE = re.compile(r"(\d{1,5})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Conditions on runs; None accepts everything.

    Attributes:
        algorithm: ``e3nn`` or ``cgcnn``.
        mode: The level, or ``competition``.
        family: The family.
        status: The status.
        property: A property that the run was trained on.
        data: Name or path of its data set, the last part of the path, or the beginning of its data fingerprint.
        split: How its crystals were divided.
        seed: Its seed.
        epochs: Epochs trained.
        lr: Its peak learning rate.
        since: Earliest start.
        until: Start before this time.

    Raises:
        UnknownNameError: A name that no run can have.
    """

    algorithm: str | None = None
    mode: str | None = None
    family: str | None = None
    status: str | None = None
    property: str | None = None
    data: str | None = None
    split: str | None = None
    seed: int | None = None
    epochs: int | None = None
    lr: float | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        for kind, name, valid in (
            ("algorithm", self.algorithm, ALGORITHMS),
            ("level", self.mode, MODES),
            ("status", self.status, STATUSES),
        ):
            if name is not None and name not in valid:
                raise UnknownNameError.of(kind, name, valid)
        if self.property is not None and not re.fullmatch(KEY, self.property):
            raise UnknownNameError.of("property", self.property, KEYS)

    def select(self, runs: Iterable[RunSummary]) -> list[RunSummary]:
        """Return the runs of a store that meet all conditions, in their order.

        Raises:
            UnknownNameError: A property was asked for that is none of the nine, and that no run of the store has.
        """
        listed = list(runs)
        known = trained_properties(listed)
        if self.property is not None and self.property not in (*KEYS, *known):
            raise UnknownNameError.of("property", self.property, dict.fromkeys([*known, *KEYS]))
        return [run for run in listed if self.passes(run)]

    def passes(self, run: RunSummary) -> bool:
        """Return whether a run meets all conditions."""
        return (
            all(
                condition is None or condition == value
                for condition, value in (
                    (self.algorithm, run.algorithm),
                    (self.mode, run.mode),
                    (self.family, run.family),
                    (self.status, run.status),
                    (self.split, run.split),
                    (self.seed, run.seed),
                    (self.epochs, run.epochs),
                    (self.lr, run.lr),
                )
            )
            and (self.data is None or _is_of(self.data, run))
            and (self.property is None or self.property in run.properties)
            and (self.since is None or run.started >= self.since)
            and (self.until is None or run.started < self.until)
        )


def trained_properties(runs: Iterable[RunSummary]) -> tuple[str, ...]:
    """Return the keys of all properties that any of the runs is of."""
    return tuple(dict.fromkeys(key for run in runs for key in run.properties))


def _is_of(data: str, run: RunSummary) -> bool:
    """Return whether a run is of a data set, by the name or path that it was given, or by its fingerprint."""
    source = run.source or ""
    return data in {source, PurePath(source).name} or (
        len(data) >= _SHORTEST_FINGERPRINT and (run.data or "").startswith(data)
    )


def parse_age(text: str) -> timedelta:
    """Parse an age such as ``12h``, ``30d`` or ``8w``.

    Raises:
        RequestError: The text is not an age.
    """
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise RequestError(
            f"'{text}' is not an age.", why="An age is a number of h, d or w.", fix="Give 30d, for instance."
        )
    return int(found[1]) * _UNITS[found[2]]


def parse_time(text: str) -> datetime:
    """Parse a date, a time (UTC where it names no zone), or an age before now.

    Raises:
        RequestError: The text is none of these.
    """
    if _AGE.fullmatch(text.strip()):
        return datetime.now(UTC) - parse_age(text)
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise RequestError(
            f"'{text}' is not a date.", fix="Give 2026-11-24, 2026-11-24T09:30, or 7d for a week ago."
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
