"""Limits of reading that a program gives by name."""

from __future__ import annotations

from collections.abc import Mapping

from phase2.config.assignments import LIMITS, Setting
from phase2.config.levels import ALGORITHMS
from phase2.config.limits import ReadingLimits
from phase2.config.paths import check_setting


def limits_of(values: Mapping[str, float] | None) -> ReadingLimits:
    """Return the limits of reading, some of them changed.

    Raises:
        RequestError: A value has another type, or lies out of bounds.
        UnknownNameError: There is no such limit; the nearest is offered.

    Example:
        >>> limits_of({"atoms": 20_000}).atoms
        20000
    """
    given = [Setting(LIMITS + name, value, "limits") for name, value in (values or {}).items()]
    checked = {one.path.removeprefix(LIMITS): check_setting(one, ALGORITHMS[0]).value for one in given}
    return ReadingLimits.model_validate(checked)
