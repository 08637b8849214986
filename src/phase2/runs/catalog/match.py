"""Matching a name that a user typed against the names of runs, wherever these are listed."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

_SHOWN = 5

Run = TypeVar("Run")


def match_name(runs: Iterable[Run], name: str, names_of: Callable[[Run], Sequence[str]]) -> list[Run]:
    """Select the runs that have a name, or else those with a name that starts with it.

    Args:
        runs: Where to look.
        name: The name, or the beginning of one.
        names_of: Returns all names of a run.
    """
    known = [(run, names_of(run)) for run in runs]
    exact = [run for run, names in known if name in names]
    return exact or [run for run, names in known if name and any(each.startswith(name) for each in names)]


def nearest_name(runs: Iterable[Run], name: str, names_of: Callable[[Run], Sequence[str]]) -> str | None:
    """Return the known name most similar to one that matched no run; None if none is similar."""
    names = sorted({each for run in runs for each in names_of(run)})
    return next(iter(difflib.get_close_matches(name, names, n=1, cutoff=0.5)), None)


def shortened(names: Sequence[str]) -> str:
    """Join names with commas for a message; only the first few are written out."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
