"""Finding a submitted run by its id or the name of its object. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from phase2.errors import RequestError
from phase2.runs.catalog.match import match_name, nearest_name, shortened


class RunReference(Protocol):
    """An object that executes a run, as far as finding it needs."""

    @property
    def run_id(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def created(self) -> str: ...  # noqa: D102


Run = TypeVar("Run", bound=RunReference)


def find_submitted(runs: Sequence[Run], name: str) -> Run:
    """Find a run by its id, the name of its object, or a unique prefix of either.

    Several objects may execute one run in turn, as those of ``argo submit -p resume=RUN`` do: the newest is returned.

    Raises:
        RequestError: No run matches, or several do.
    """
    found = match_submitted(runs, name)
    if found is None:
        raise _not_found(runs, name)
    return found


def match_submitted(runs: Sequence[Run], name: str) -> Run | None:
    """Return the run that :func:`find_submitted` finds; None if no run matches.

    Raises:
        RequestError: Several runs match.
    """
    found = match_name(runs, name, _names)
    ids = sorted({run.run_id for run in found})
    if len(ids) > 1:
        raise RequestError(
            f"'{name}' may be any of {len(ids)} runs.",
            why=f"{shortened(ids)} begin with it.",
            fix="Give more of the id.",
        )
    return max(found, key=lambda run: run.created, default=None)


def _not_found(runs: Sequence[RunReference], name: str) -> RequestError:
    nearest = nearest_name(runs, name, _names)
    return RequestError(
        f"There is no run '{name}' in this namespace.",
        why="A run that ended long ago is no longer listed here, but its store has it."
        if runs
        else "No run was submitted to it, or none that is still listed.",
        fix=f"Did you mean '{nearest}'?" if nearest else "'phase2 status' and 'phase2 runs list' show what there is.",
    )


def _names(run: RunReference) -> tuple[str, str]:
    return run.run_id, run.name
