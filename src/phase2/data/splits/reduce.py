"""Reducing the parts of a data set to the crystals that a run uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phase2.config.schema import DataConfig
from phase2.data.splits.split import Split
from phase2.errors import DataError


def reduce_split(whole: Split, present: NDArray[np.bool_], config: DataConfig) -> Split:
    """Keep the labelled crystals of every part, and of those at most ``max_samples`` in the parts' proportion.

    Args:
        whole: Split of all crystals.
        present: Which labels each crystal has, (B, P) bool.
        config: Settings with ``max_samples``.

    Raises:
        DataError: A part is left without crystals.
    """
    parts = [part[present[part].any(axis=1)] for part in (whole.train, whole.val, whole.test)]
    total = sum(len(part) for part in parts)
    most = config.max_samples
    if most is not None and most < total:
        fewer = [max(1, round(most * len(part) / total)) for part in parts[1:]]
        sizes = [max(0, most - sum(fewer)), *fewer]
        parts = [part[_round_robin(present[part])[:size]] for part, size in zip(parts, sizes, strict=True)]
    train, val, test = parts
    if len(train) < 2 or not len(val) or not len(test):
        raise DataError(
            f"{len(train)} training, {len(val)} validation and {len(test)} test crystals are too few to train on.",
            why=f"The data set '{config.source}' has {total} crystals with a label for the requested properties"
            + ("." if most is None else f", and --max-samples keeps {most} of them."),
            fix="Use more crystals: at least 10.",
        )
    return Split(train=train, val=val, test=test)


def _round_robin(present: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Order crystals by properties in turn, each taking its next labelled one: any first rows have labels of all.

    Args:
        present: Which labels each crystal has, (B, P) bool, at least one per row.
    """
    turn = np.where(present, np.cumsum(present, axis=0), len(present) + 1).min(axis=1)
    return np.argsort(turn, kind="stable")
