"""Labels as their source gave them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
