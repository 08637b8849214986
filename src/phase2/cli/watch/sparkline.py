"""A curve in one line of characters. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from phase2.runs.live.points import thinned

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], width: int) -> str:
    """Return the course of some values, the newest at the right; the lowest is the shortest bar.

    Args:
        values: The values in order; None and infinite ones leave a gap.
        width: Characters at most; of more values some are left out.

    Example:
        >>> sparkline([1.0, 0.5, None, 0.0], 10)
        '█▅ ▁'
    """
    if width < 2:
        return ""
    shown = thinned([value if value is not None and math.isfinite(value) else None for value in values], width)
    known = [value for value in shown if value is not None]
    if not known:
        return ""
    low, span = min(known), max(known) - min(known)
    top = len(_BARS) - 1

    def bar(value: float | None) -> str:
        if value is None:
            return " "
        return _BARS[round(top * (value - low) / span)] if span > 0 else _BARS[0]

    return "".join(map(bar, shown))
