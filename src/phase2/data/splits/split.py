"""The three parts of a data set."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Indices of the crystals in each part; a crystal that is in none is not used.

    The order inside a part is random but fixed by seed and ids, so that the first rows of a part are a random sample
    of it.

    Attributes:
        train: Crystals to fit the model to, 1-D int64.
        val: Crystals to select the best epoch with, 1-D int64.
        test: Crystals to evaluate once, at the end of the run, 1-D int64.
    """

    train: NDArray[np.int64]
    val: NDArray[np.int64]
    test: NDArray[np.int64]

    def fingerprint(self, ids: Sequence[str] | NDArray[np.str_]) -> str:
        """Return the SHA-256 of which ids are in which part, hexadecimal; the order of the records does not matter."""
        digest = hashlib.sha256()
        for part in (self.train, self.val, self.test):
            for name in sorted(str(ids[k]) for k in part):
                digest.update(name.encode() + b"\0")
            digest.update(b"\1")
        return digest.hexdigest()
