"""Keys of properties as a Python call gives them."""

from __future__ import annotations

from phase2.api.names import Names, names_in


def property_keys(value: Names | None) -> tuple[str, ...] | None:
    """Return the keys that are given in a sequence, or in one text as on the command line; None for None.

    Example:
        >>> property_keys("band_gap, bulk_modulus") == property_keys(["band_gap", "bulk_modulus"])
        True
    """
    return None if value is None else names_in(value)
