"""Drawing the parts at random, whole groups of crystals at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from phase2.data.splits.split import Split
from phase2.data.splits.stratify import Groups, spread_labels
from phase2.errors import DataError, RequestError

Names = Sequence[str] | NDArray[np.str_]


def draw_split(
    ids: Names,
    keys: Names,
    *,
    seed: int,
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
    unit: str = "crystals",
    fix: str = "Use more data.",
    labelled: NDArray[np.bool_] | None = None,
) -> Split:
    """Divide crystals into train, validation and test.

    Groups are ordered by the SHA-256 of seed and key, and crystals by that of seed and id, so that the split does not
    depend on their order. Test is filled first, then validation, each with the groups that still fit; the rest is
    train.

    Args:
        ids: Names of the crystals, shape (B,).
        keys: Their groups, shape (B,): crystals of one group are in one part, which makes the sizes approximate. The
            ids again divide crystal by crystal.
        seed: Seed of the split.
        fractions: Relative sizes of training, validation and test set.
        unit: What a group is called in an error, in the plural.
        fix: What helps where there are too few of them.
        labelled: Which labels each crystal has, (B, P); with it, a property that a part has no label of is brought
            into it where another part can spare a group.

    Raises:
        DataError: There are fewer than three groups.
        RequestError: A fraction is not positive.
    """
    groups = ordered_groups(keys, ids, range(len(ids)), seed)
    if len(groups) < 3:
        raise DataError(
            f"{len(groups)} {unit} cannot be split into train, validation and test.",
            why="Each part needs at least one.",
            fix=fix,
        )
    sizes = _sizes(len(ids), fractions)
    test, rest = _take(groups, sizes[2], leave=2)
    val, train = _take(rest, sizes[1], leave=1)
    parts = [train, val, test] if labelled is None else spread_labels([train, val, test], labelled)
    return Split(*(in_random_order(part, ids, seed) for part in parts))


def draw_validation(
    ids: Names,
    keys: Names,
    members: NDArray[np.int64],
    *,
    seed: int,
    share: float,
    unit: str = "crystals",
    fix: str = "Use more data, or another split.",
    labelled: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide crystals that are no test crystals into train and validation.

    Args:
        ids: Names of all crystals, shape (B,).
        keys: Their groups, shape (B,).
        members: The crystals to divide.
        seed: Seed of the split.
        share: Share of the validation part, between 0 and 1.
        unit: What a group is called in an error, in the plural.
        fix: What helps where there are too few of them.
        labelled: Which labels each crystal has, as for :func:`draw_split`.

    Returns:
        The crystals of the two parts.

    Raises:
        DataError: There are fewer than two groups.
    """
    groups = ordered_groups(keys, ids, members.tolist(), seed)
    if len(groups) < 2:
        raise DataError(
            f"{len(members)} crystals beside the test part cannot be split into train and validation.",
            why=f"They are one group, and each part needs one at least: the groups are {unit}.",
            fix=fix,
        )
    val, train = _take(groups, min(max(1, round(len(members) * share)), len(members) - 1), leave=1)
    parts = [train, val] if labelled is None else spread_labels([train, val], labelled)
    return in_random_order(parts[0], ids, seed), in_random_order(parts[1], ids, seed)


def ordered_groups(keys: Names, ids: Names, members: Iterable[int], seed: int) -> Groups:
    """Group crystals by key, in an order that depends on seed and keys only."""
    found: dict[str, list[int]] = {}
    for k in sorted(members, key=lambda k: str(ids[k])):
        found.setdefault(str(keys[k]), []).append(k)
    return [found[key] for key in sorted(found, key=lambda key: rank(key, seed))]


def in_random_order(groups: Groups, ids: Names, seed: int) -> NDArray[np.int64]:
    """Return the members of groups, ordered by the SHA-256 of seed and id."""
    members = [k for group in groups for k in group]
    return np.array(sorted(members, key=lambda k: rank(str(ids[k]), seed)), dtype=np.int64)


def rank(key: str, seed: int) -> bytes:
    """Return what decides the place of a key in the random order of a seed."""
    return hashlib.sha256(f"{seed}\0{key}".encode()).digest()


def validation_share(fractions: tuple[float, float, float]) -> float:
    """Return the share of the validation part where the test part is taken already.

    Raises:
        RequestError: A fraction is not positive.
    """
    _sizes(3, fractions)
    return fractions[1] / (fractions[0] + fractions[1])


def _sizes(n: int, fractions: tuple[float, float, float]) -> tuple[int, int, int]:
    if not all(np.isfinite(f) and f > 0 for f in fractions):
        raise RequestError(
            f"The split fractions {fractions} are not all positive.", fix="Give three, such as 0.8, 0.1, 0.1."
        )
    val, test = (min(max(1, round(n * f / sum(fractions))), n - 2) for f in fractions[1:])
    return max(1, n - val - test), val, test


def _take(groups: Groups, size: int, *, leave: int) -> tuple[Groups, Groups]:
    """Take the first groups that fit into ``size`` crystals; if none does, the smallest one."""
    taken: Groups = []
    rest: Groups = []
    for k, group in enumerate(groups):
        fits = len(group) <= size and len(rest) + len(groups) - k > leave
        (taken if fits else rest).append(group)
        size -= len(group) if fits else 0
    if not taken:
        taken = [rest.pop(min(range(len(rest)), key=lambda k: len(rest[k])))]
    return taken, rest
