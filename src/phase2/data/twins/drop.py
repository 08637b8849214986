"""Leaving out the crystals that are judged by, and nearly the same as one that is learned from."""

from __future__ import annotations

from dataclasses import replace

from phase2.config.schema import DataConfig
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.splits.split import Split
from phase2.data.twins.search import NONE, find_twins
from phase2.errors import DataError


def drop_twins(parts: Split, graphs: PackedGraphs, config: DataConfig) -> tuple[Split, tuple[int, int] | None]:
    """Leave out the validation and test crystals with a twin or near-twin in the training part, if asked for.

    Returns:
        The parts, and how many were left out of each; None where this was not asked for.

    Raises:
        DataError: A part is left without crystals.
    """
    if not config.drop_twins:
        return parts, None
    val, test = (
        part[find_twins(graphs, part, parts.train, cutoff=config.graph.cutoff).kind == NONE]
        for part in (parts.val, parts.test)
    )
    if not len(val) or not len(test):
        raise DataError(
            f"Without twins, {len(val)} validation and {len(test)} test crystals are left.",
            why="Every other one has a twin or near-twin in the training part.",
            fix="Drop --drop-twins, or keep similar crystals together: --split prototype, or --split composition.",
        )
    return replace(parts, val=val, test=test), (len(parts.val) - len(val), len(parts.test) - len(test))
