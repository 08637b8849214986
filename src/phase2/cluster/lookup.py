"""Finding a run among the Jobs of a namespace. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from phase2.cluster.api_objects import Object, name_of
from phase2.cluster.plan import RUN_LABEL
from phase2.errors import RequestError

_SHOWN = 5


def find_job(jobs: Sequence[Object], name: str) -> Object:
    """Find a Job by run id, by its own name, or by the unique beginning of one of these.

    Raises:
        RequestError: None is meant, or several are.
    """
    found = find_jobs(jobs, name)
    if found:
        return found[0]
    raise _unknown(jobs, name)


def find_jobs(jobs: Sequence[Object], name: str) -> list[Object]:
    """The one Job that :func:`find_job` finds, or none at all.

    Raises:
        RequestError: Several are meant.
    """
    found = [job for job in jobs if name in _names(job)]
    found = found or [job for job in jobs if name and any(known.startswith(name) for known in _names(job))]
    if len(found) > 1:
        ids = [_names(job)[0] for job in found]
        more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
        raise RequestError(
            f"'{name}' may be any of {len(found)} runs.",
            why=f"{', '.join(ids[:_SHOWN])}{more} begin with it.",
            fix="Give more of the id.",
        )
    return found


def _unknown(jobs: Sequence[Object], name: str) -> RequestError:
    nearest = difflib.get_close_matches(name, sorted({known for job in jobs for known in _names(job)}), n=1, cutoff=0.5)
    return RequestError(
        f"There is no run '{name}' in this namespace.",
        why="A run that ended long ago is no longer listed here, but its store has it."
        if jobs
        else "No run was submitted to it, or none that is still listed.",
        fix=f"Did you mean '{nearest[0]}'?"
        if nearest
        else "'phase2 status' and 'phase2 runs list' show what there is.",
    )


def _names(job: Object) -> tuple[str, str]:
    labels = job["metadata"].get("labels") or {}
    return str(labels.get(RUN_LABEL) or name_of(job)), name_of(job)
