"""The estimated time of a run in one line, and its limit for runs without a GPU."""

from __future__ import annotations

import math

from phase2.cluster.estimate.work import Estimate
from phase2.cluster.request.resources import NO_LIMIT, check_hours, format_duration
from phase2.errors import RequestError

_HOUR = 3600


def describe_time(work: Estimate) -> str:
    """Return the estimated time in one line, with what it comes from: ``about 6.2 h on 2 cores ..., by ...``.

    Example:
        >>> describe_time(Estimate(train=100, seconds=7200, source="by rates", on_gpu=False, cores=2))
        'about 2 h on 2 cores without a GPU, by rates'
    """
    if work.seconds is None:
        return f"not known: {work.source}"
    return f"{_time_and_place(work)}, {work.source}"


def check_cpu_time(work: Estimate, limit_hours: float | None) -> None:
    """Refuse a run without a GPU whose estimated time is above a limit.

    A run on a GPU, and one whose time is not known, are accepted.

    Args:
        work: The estimate.
        limit_hours: The limit; None and 0 are none.

    Raises:
        RequestError: The run would take longer, or the limit is invalid.
    """
    if limit_hours is None or check_hours(limit_hours) == NO_LIMIT or work.on_gpu or work.seconds is None:
        return
    hours = work.seconds / _HOUR
    if hours <= limit_hours:
        return
    raise RequestError(
        f"The run would take {_time_and_place(work)}, longer than the limit of {limit_hours:g} h.",
        why=f"So it is estimated {work.source}.",
        fix="Give it a GPU where the cluster has some (--gpus 1), choose a smaller --level or --max-samples, or accept "
        f"the time with --max-hours {math.ceil(hours)} (0 for no limit).",
    )


def _time_and_place(work: Estimate) -> str:
    about = "at most about" if work.may_end_early else "about"
    cores = f"{work.cores:g} core{'' if work.cores == 1 else 's'}"
    place = "a GPU" if work.on_gpu else f"{cores} without a GPU"
    return f"{about} {format_duration(work.seconds or 0)} on {place}"
