"""Keys of properties as a Python call gives them."""

from __future__ import annotations

from collections.abc import Sequence


def property_keys(value: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """Return the keys that are given in a sequence, or in one text as on the command line; None for None.

    Example:
        >>> property_keys("band_gap, bulk_modulus") == property_keys(["band_gap", "bulk_modulus"])
        True
    """
    if value is None:
        return None
    return tuple(key.strip() for key in value.split(",")) if isinstance(value, str) else tuple(value)
