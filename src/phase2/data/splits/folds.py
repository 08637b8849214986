"""Folds for cross-validation: our own, by names, and those of matbench, by rows."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from phase2.config.data.splits import MATBENCH_FOLDS
from phase2.data.splits.draw import Names, ordered_groups, rank
from phase2.errors import DataError

MATBENCH_SEED = 18012019
"""Seed of all folds of matbench 0.1 (Dunn et al., npj Comput. Mater. 6, 138, 2020)."""

_NUMBER = re.compile(r"([0-9]{1,9})$")


def fold_of_each(
    ids: Names, keys: Names, *, folds: int, seed: int, labelled: NDArray[np.bool_], unit: str = "crystals"
) -> NDArray[np.int64]:
    """Return the fold of each crystal, (B,) int64 from 0; crystals of one group are in one fold.

    Groups with labels of the rarest property are dealt first, each to the fold that has the fewest of its labels, and
    of those to the smallest (as iterative stratification: Sechidis, Tsoumakas & Vlahavas, ECML PKDD 2011). So a
    property that enough groups have is in every fold.

    Args:
        ids: Names of the crystals, shape (B,).
        keys: Their groups, shape (B,).
        folds: Number of folds.
        seed: Seed of the split.
        labelled: Which labels each crystal has, (B, P).
        unit: What a group is called in an error, in the plural.

    Raises:
        DataError: There are fewer groups than folds.
    """
    groups = ordered_groups(keys, ids, range(len(ids)), seed)
    if len(groups) < folds:
        raise DataError(
            f"{len(groups)} {unit} cannot be divided into {folds} folds.",
            why="Each fold needs at least one.",
            fix=_fewer_folds(len(groups), alone=len(groups) == len(ids)),
        )
    total = labelled.sum(axis=0)
    rarity = np.append(np.where(total > 0, total, len(ids) + 1), len(ids) + 2)
    carried = [labelled[group].sum(axis=0) for group in groups]
    rarest = [min((int(p) for p in np.flatnonzero(count)), key=lambda p: rarity[p], default=-1) for count in carried]
    order = sorted(range(len(groups)), key=lambda g: (rarity[rarest[g]], -len(groups[g])))
    labels, sizes = np.zeros((folds, labelled.shape[1] + 1), dtype=np.int64), np.zeros(folds, dtype=np.int64)
    found = np.empty(len(ids), dtype=np.int64)
    for g in order:
        fold = int(np.lexsort((sizes, labels[:, rarest[g]]))[0])
        found[groups[g]] = fold
        sizes[fold] += len(groups[g])
        labels[fold, :-1] += carried[g]
    return _numbered(found, ids, seed, folds)


def _fewer_folds(groups: int, *, alone: bool) -> str:
    """Return what helps where there are fewer groups than folds; three parts need three groups at least."""
    ways = [f"{groups} folds{' or fewer' if groups > 3 else ''}"] if groups > 2 else []
    ways.append("more data")
    ways += [] if alone else ["folds of single crystals (--split random, or kfold:5/1)"]
    return f"Use {', or '.join(ways)}."


def _numbered(found: NDArray[np.int64], ids: Names, seed: int, folds: int) -> NDArray[np.int64]:
    """Number folds by their first crystal in the random order, so that the first is not always the largest."""
    order = sorted(range(len(ids)), key=lambda k: rank(str(ids[k]), seed))
    seen = dict.fromkeys(found[order].tolist())
    number = np.empty(folds, dtype=np.int64)
    number[list(seen)] = np.arange(len(seen))
    return np.asarray(number[found])


def matbench_test_rows(rows: int, fold: str) -> NDArray[np.int64]:
    """Return the rows that a fold of matbench tests on: ``KFold(5, shuffle=True, random_state=18012019)``.

    Args:
        rows: Rows of the data set.
        fold: Its name, ``fold_0`` to ``fold_4``.
    """
    order = np.arange(rows)
    # The generator of scikit-learn, which is numpy's old one.
    np.random.RandomState(MATBENCH_SEED).shuffle(order)
    parts = np.array_split(order, len(MATBENCH_FOLDS))
    return np.sort(parts[MATBENCH_FOLDS.index(fold)]).astype(np.int64)


def row_numbers(ids: Names, rejected: Sequence[str]) -> tuple[NDArray[np.int64], int]:
    """Return the row of each crystal in its data set, (B,) int64 from 0, and the number of rows.

    Where each name ends in a number, and these count the records, they are the rows, as in ``mb-jdft2d-001``. Else the
    crystals are in the order of the file, if none of its records was left out.

    Args:
        ids: Names of the crystals, in the order of the file.
        rejected: Names of the records that are no valid crystal.

    Raises:
        DataError: Neither is so.
    """
    total = len(ids) + len(rejected)
    found = [_NUMBER.search(str(name)) for name in (*ids, *rejected)]
    numbers = np.array([int(one[1]) if one else -1 for one in found], dtype=np.int64)
    for first in (0, 1):
        if np.array_equal(np.sort(numbers), np.arange(total) + first):
            return numbers[: len(ids)] - first, total
    if not rejected:
        return np.arange(total), total
    raise DataError(
        f"The rows of the data set are not known: {len(rejected)} of its {total} records are no valid crystal.",
        why="The folds of matbench are drawn by row, and the names of the crystals do not count the rows.",
        fix="Name the records by their row (mb-0001, mb-0002, ...), or use kfold:5/1, which goes by name.",
    )
