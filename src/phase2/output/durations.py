"""Durations in few characters, for tables and bars."""

from __future__ import annotations

import re

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_SHORT = re.compile(r"(?:\d+[dhms])+")
_PART = re.compile(r"(\d+)([dhms])")


def short_duration(seconds: float) -> str:
    """Return a duration in its two largest units, without spaces.

    Example:
        >>> short_duration(5030.4), short_duration(59.6), short_duration(90000)
        ('1h23m', '1m00s', '1d01h')
    """
    left = max(0, round(seconds))
    if left < _UNITS["m"]:
        return f"{left}s"
    for large, small in (("d", "h"), ("h", "m"), ("m", "s")):
        if left >= _UNITS[large]:
            whole, rest = divmod(left, _UNITS[large])
            return f"{whole}{large}{rest // _UNITS[small]:02d}{small}"
    raise AssertionError(left)


def parse_short_duration(text: str) -> float | None:
    """Return the seconds of a text by :func:`short_duration`; None for any other text.

    Example:
        >>> parse_short_duration("1h23m"), parse_short_duration("-")
        (4980.0, None)
    """
    if _SHORT.fullmatch(text) is None:
        return None
    return float(sum(int(count) * _UNITS[unit] for count, unit in _PART.findall(text)))
