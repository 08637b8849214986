"""Finding a run among those of a namespace. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Protocol, TypeVar

from phase2.errors import RequestError

_SHOWN = 5


class Named(Protocol):
    """What is found by the id of a run, or by the name of the object that carries it."""

    @property
    def run_id(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def created(self) -> str: ...  # noqa: D102


Run = TypeVar("Run", bound=Named)


def find_run(runs: Sequence[Run], name: str) -> Run:
    """Find a run by its id, by the name of its object, or by the unique beginning of one of these.

    Several objects may carry a run one after another, as those of ``argo submit -p resume=RUN`` do: the newest counts.

    Raises:
        RequestError: None is meant, or several are.
    """
    found = find_runs(runs, name)
    if found:
        return found[0]
    raise _unknown(runs, name)


def find_runs(runs: Sequence[Run], name: str) -> list[Run]:
    """The one run that :func:`find_run` finds, or none at all.

    Raises:
        RequestError: Several are meant.
    """
    found = [run for run in runs if name in _names(run)]
    found = found or [run for run in runs if name and any(known.startswith(name) for known in _names(run))]
    ids = sorted({run.run_id for run in found})
    if len(ids) > 1:
        more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
        raise RequestError(
            f"'{name}' may be any of {len(ids)} runs.",
            why=f"{', '.join(ids[:_SHOWN])}{more} begin with it.",
            fix="Give more of the id.",
        )
    return [max(found, key=lambda run: run.created)] if found else []


def _unknown(runs: Sequence[Named], name: str) -> RequestError:
    nearest = difflib.get_close_matches(name, sorted({known for run in runs for known in _names(run)}), n=1, cutoff=0.5)
    return RequestError(
        f"There is no run '{name}' in this namespace.",
        why="A run that ended long ago is no longer listed here, but its store has it."
        if runs
        else "No run was submitted to it, or none that is still listed.",
        fix=f"Did you mean '{nearest[0]}'?"
        if nearest
        else "'phase2 status' and 'phase2 runs list' show what there is.",
    )


def _names(run: Named) -> tuple[str, str]:
    return run.run_id, run.name
