"""Labels as their source gave them, and those that are possible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from phase2.properties import Property


def labels_as_given(stored: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return labels with the digits that they were given with, of any shape, float64.

    A graph store keeps labels as float32. The shortest decimal number that rounds to a stored one is the label that was
    given, wherever that has up to six significant digits, and differs by less than 1e-7 of it otherwise.

    Args:
        stored: Labels, float32, or float64 with values that float32 has; others are returned as they are.

    Example:
        >>> labels_as_given(np.array([1.1, -0.3, np.nan], dtype=np.float32)).tolist()
        [1.1, -0.3, nan]
        >>> float(np.float32(1.1))
        1.100000023841858
    """
    wide = np.asarray(stored, dtype=np.float64)
    narrow = wide.astype(np.float32)
    decimal = narrow.astype(np.str_).astype(np.float64)
    return np.where(narrow == wide, decimal, wide)


def without_impossible(
    labels: NDArray[np.float64], properties: Sequence[Property], ids: NDArray[np.str_]
) -> tuple[NDArray[np.float64], dict[str, tuple[str, ...]]]:
    """Replace labels beyond the bounds of their property by NaN.

    Args:
        labels: Labels of B crystals, (B, P), in the units of the properties, NaN where missing.
        properties: The P properties.
        ids: Names of the crystals, (B,).

    Returns:
        The labels, (B, P), and the ids of the crystals whose label was replaced, by property.
    """
    beyond: dict[str, tuple[str, ...]] = {}
    kept, given = labels.copy(), labels_as_given(labels)  # 0.7 as float32 is below 0.7
    for k, prop in enumerate(properties):
        low = -np.inf if prop.lower is None else prop.lower
        high = np.inf if prop.upper is None else prop.upper
        outside = (given[:, k] < low) | (given[:, k] > high)
        if outside.any():
            kept[outside, k] = np.nan
            beyond[prop.key] = tuple(ids[outside].tolist())
    return kept, beyond
