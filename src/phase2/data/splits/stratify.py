"""Bringing the labels of sparse properties into every part, whole groups of crystals at a time."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Groups: TypeAlias = list[list[int]]
"""Rows of crystals, group by group."""


def spread_labels(parts: list[Groups], labelled: NDArray[np.bool_]) -> list[Groups]:
    """Move groups until every part has a label of every property, where the other parts can spare one.

    A part can spare a group if it keeps another group and a label of each property that it had. The group moved is
    the smallest that will do, and one of the same size that is not needed moves back, where there is one; parts that
    lack nothing stay as they are. The rarest properties come first.

    Args:
        parts: The groups of each part.
        labelled: Which labels each crystal has, (B, P).

    Returns:
        The parts, in the same order.
    """
    made = [list(part) for part in parts]
    carried = {id(group): labelled[group].sum(axis=0) for part in made for group in part}
    counts = [sum((carried[id(group)] for group in part), np.zeros(labelled.shape[1], dtype=np.int64)) for part in made]
    total = sum(counts, np.zeros(labelled.shape[1], dtype=np.int64))
    for prop in np.argsort(total, kind="stable").tolist():
        for to in reversed(range(len(made))):
            if total[prop] == 0 or counts[to][prop]:
                continue
            giver, group = _spare(made, counts, carried, prop)
            if group is None:
                continue
            _move(made, counts, carried, group, giver, to)
            back = _of_same_size(made, counts, carried, group, to)
            if back is not None:
                _move(made, counts, carried, back, to, giver)
    return made


_Counts: TypeAlias = list[NDArray[np.int64]]
_Carried: TypeAlias = dict[int, NDArray[np.int64]]


def _spare(parts: list[Groups], counts: _Counts, carried: _Carried, prop: int) -> tuple[int, list[int] | None]:
    """Find the smallest group with a label of a property that its part can spare."""
    found = [
        (len(group), place, giver, group)
        for giver, part in enumerate(parts)
        if len(part) > 1
        for place, group in enumerate(part)
        if carried[id(group)][prop] and _keeps(counts[giver], carried[id(group)])
    ]
    if not found:
        return 0, None
    _, _, giver, group = min(found, key=lambda one: one[:3])
    return giver, group


def _of_same_size(
    parts: list[Groups], counts: _Counts, carried: _Carried, moved: list[int], part: int
) -> list[int] | None:
    return next(
        (
            group
            for group in parts[part]
            if group is not moved and len(group) == len(moved) and _keeps(counts[part], carried[id(group)])
        ),
        None,
    )


def _keeps(count: NDArray[np.int64], carried: NDArray[np.int64]) -> bool:
    """Whether a part without a group keeps a label of each property that it had."""
    return bool(((count == 0) | (count > carried)).all())


def _move(parts: list[Groups], counts: _Counts, carried: _Carried, group: list[int], giver: int, to: int) -> None:
    parts[giver] = [other for other in parts[giver] if other is not group]
    parts[to] = [*parts[to], group]
    counts[giver] = counts[giver] - carried[id(group)]
    counts[to] = counts[to] + carried[id(group)]
