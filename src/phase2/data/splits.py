"""Splits of the crystals into training, validation and test set, shared by all properties."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from phase2.errors import DataError, RequestError


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Indices of the crystals in each part.

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


def split_crystals(
    ids: Sequence[str] | NDArray[np.str_],
    formulas: Sequence[str] | NDArray[np.str_],
    *,
    seed: int,
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
    group_by: Literal["none", "composition"] = "none",
) -> Split:
    """Divide crystals into train, validation and test.

    Crystals are ordered by the SHA-256 of seed and id, so that the split does not depend on their order.
    Test is filled first, then validation, each with the groups that still fit; the rest is train.

    Args:
        ids: Names of the crystals, shape (B,).
        formulas: Their reduced formulas, shape (B,).
        seed: Seed of the split.
        fractions: Relative sizes of training, validation and test set.
        group_by: ``composition`` keeps all crystals of a formula in one part, which makes the sizes approximate.

    Raises:
        DataError: There are fewer than three crystals, or fewer than three formulas to keep together.
        RequestError: A fraction is not positive.
    """
    assert len(ids) == len(formulas)  # noqa: S101
    groups = _groups(ids if group_by == "none" else formulas, ids, seed)
    if len(groups) < 3:
        unit = "crystals" if group_by == "none" else "different compositions"
        raise DataError(
            f"{len(groups)} {unit} cannot be split into train, validation and test.",
            why="Each part needs at least one.",
            fix="Use more data." if group_by == "none" else "Use more data, or group_by 'none'.",
        )
    sizes = _sizes(len(ids), fractions)
    test, groups = _take(groups, sizes[2], leave=2)
    val, groups = _take(groups, sizes[1], leave=1)
    return Split(*(_in_random_order(part, ids, seed) for part in (groups, val, test)))


def _sizes(n: int, fractions: tuple[float, float, float]) -> tuple[int, int, int]:
    if not all(np.isfinite(f) and f > 0 for f in fractions):
        raise RequestError(
            f"The split fractions {fractions} are not all positive.", fix="Give three, such as 0.8, 0.1, 0.1."
        )
    val, test = (min(max(1, round(n * f / sum(fractions))), n - 2) for f in fractions[1:])
    return max(1, n - val - test), val, test


def _groups(
    keys: Sequence[str] | NDArray[np.str_], ids: Sequence[str] | NDArray[np.str_], seed: int
) -> list[list[int]]:
    """Group crystals by key, in an order that depends on seed and keys only."""
    members: dict[str, list[int]] = {}
    for k in sorted(range(len(ids)), key=lambda k: str(ids[k])):
        members.setdefault(str(keys[k]), []).append(k)
    return [members[key] for key in sorted(members, key=lambda key: _rank(key, seed))]


def _take(groups: list[list[int]], size: int, *, leave: int) -> tuple[list[list[int]], list[list[int]]]:
    """Take the first groups that fit into ``size`` crystals; if none does, the smallest one."""
    taken: list[list[int]] = []
    rest: list[list[int]] = []
    for k, group in enumerate(groups):
        fits = len(group) <= size and len(rest) + len(groups) - k > leave
        (taken if fits else rest).append(group)
        size -= len(group) if fits else 0
    if not taken:
        taken = [rest.pop(min(range(len(rest)), key=lambda k: len(rest[k])))]
    return taken, rest


def _in_random_order(groups: list[list[int]], ids: Sequence[str] | NDArray[np.str_], seed: int) -> NDArray[np.int64]:
    members = [k for group in groups for k in group]
    return np.array(sorted(members, key=lambda k: _rank(str(ids[k]), seed)), dtype=np.int64)


def _rank(key: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{key}".encode()).digest()
