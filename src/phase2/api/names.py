"""Names as a Python call gives them: several in a sequence, or in one text."""

from __future__ import annotations

from collections.abc import Sequence

Names = str | Sequence[str]


def names_in(value: Names) -> tuple[str, ...]:
    """Return the names of a sequence, or of one text as on the command line: one, or several between commas.

    Example:
        >>> names_in("code"), names_in("code, data-path") == names_in(["code", "data-path"])
        (('code',), True)
    """
    return tuple(name.strip() for name in value.split(",")) if isinstance(value, str) else tuple(value)


def property_keys(value: Names | None) -> tuple[str, ...] | None:
    """Return the keys of properties that are given as names; None for None.

    Example:
        >>> property_keys("band_gap, bulk_modulus") == property_keys(["band_gap", "bulk_modulus"])
        True
    """
    return None if value is None else names_in(value)
