"""Names that stand twice where each may stand once: keys of an object, columns of a table."""

from __future__ import annotations

from collections.abc import Iterable


def first_repeated(names: Iterable[str]) -> str | None:
    """Return the first name that has stood before, None without one; in time proportional to their number.

    >>> first_repeated(["id", "gap", "id", "gap"])
    'id'
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
