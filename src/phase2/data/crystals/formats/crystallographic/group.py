"""Space groups as their operations, compared exactly and up to the choice of the origin."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, lru_cache

import gemmi
import numpy as np
from numpy.typing import NDArray

DENOMINATOR = gemmi.Op.DEN
"""Translations are whole multiples of 1/24 of a lattice vector."""

_METRIC_TOLERANCE = 0.02


class Group:
    """Space group in one setting.

    Args:
        operations: Its operations, each once or more often.

    Attributes:
        rotations: (n, 3, 3), int64, of fractional positions.
        translations: (n, 3), int64, in units of 1/24, 0 to 23.
    """

    def __init__(self, operations: Iterable[gemmi.Op]) -> None:
        unique = {(*(e for row in op.rot for e in row), *(t % DENOMINATOR for t in op.tran)): None for op in operations}
        table = np.array(list(unique), dtype=np.int64).reshape(-1, 12)
        self.key = frozenset(unique)
        self.integral = not (table[:, :9] % DENOMINATOR).any()
        self.rotations = table[:, :9].reshape(-1, 3, 3) // DENOMINATOR
        self.translations = table[:, 9:]

    def __len__(self) -> int:
        return len(self.rotations)

    @cached_property
    def table_entry(self) -> gemmi.SpaceGroup | None:
        """Entry of gemmi's table with these operations, None for a setting that it does not have."""
        found = gemmi.find_spacegroup_by_ops(gemmi.GroupOps(self._operations()))
        return found if found is not None and group_of(found.xhm()).key == self.key else None

    @cached_property
    def missing(self) -> int:
        """Number of operations that the products of these have more."""
        if not len(self) or self.table_entry is not None:
            return 0
        rotations = np.einsum("aij,bjk->abik", self.rotations, self.rotations)
        translations = np.einsum("aij,bj->abi", self.rotations, self.translations) + self.translations[:, None]
        products = np.concatenate([rotations.reshape(-1, 9), translations.reshape(-1, 3) % DENOMINATOR], axis=1)
        own = np.concatenate([self.rotations.reshape(-1, 9), self.translations], axis=1)
        return len(np.unique(np.concatenate([own, products]), axis=0)) - len(self)

    def fits(self, lattice: NDArray[np.float64]) -> bool:
        """Tell whether all operations keep lengths and angles of a cell, within 1 % of a length."""
        metric = lattice @ lattice.T
        moved = np.einsum("nji,jk,nkl->nil", self.rotations, metric, self.rotations)
        lengths = np.sqrt(np.diag(metric))
        return bool((np.abs(moved - metric) <= _METRIC_TOLERANCE * np.outer(lengths, lengths)).all())

    def equals_up_to_origin(self, other: Group) -> bool:
        """Tell whether another group becomes this one when the origin is moved by multiples of 1/24."""
        if self.key == other.key:
            return True
        ours, theirs = self._by_rotation, other._by_rotation
        if len(self) != len(other) or ours.keys() != theirs.keys():
            return False
        identity = tuple(np.eye(3, dtype=np.int64).ravel().tolist())
        if identity not in ours or ours[identity] != theirs[identity]:
            return False
        centring = [int(_code(np.array(t))) for t in ours[identity]]
        shifts = np.stack(np.meshgrid(*[np.arange(DENOMINATOR)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        for rotation, translations in ours.items():
            change = shifts @ (np.eye(3, dtype=np.int64) - np.array(rotation).reshape(3, 3)).T
            difference = np.array(min(translations)) - np.array(min(theirs[rotation])) - change
            shifts = shifts[np.isin(_code(difference), centring)]
            if not len(shifts):
                return False
        return True

    @cached_property
    def _by_rotation(self) -> dict[tuple[int, ...], set[tuple[int, ...]]]:
        grouped: dict[tuple[int, ...], set[tuple[int, ...]]] = {}
        for rotation, translation in zip(
            self.rotations.reshape(-1, 9).tolist(), self.translations.tolist(), strict=True
        ):
            grouped.setdefault(tuple(rotation), set()).add(tuple(translation))
        return grouped

    def _operations(self) -> list[gemmi.Op]:
        operations = []
        for rotation, translation in zip(self.rotations.tolist(), self.translations.tolist(), strict=True):
            op = gemmi.Op("x,y,z")
            op.rot = [[DENOMINATOR * entry for entry in row] for row in rotation]
            op.tran = translation
            operations.append(op)
        return operations


@lru_cache(maxsize=1024)
def group_of(xhm: str) -> Group:
    """Return the group of an extended Hermann-Mauguin symbol of gemmi's table, such as ``F d -3 m:2``."""
    return Group(gemmi.SpaceGroup(xhm).operations())


def _code(translations: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray((translations % DENOMINATOR) @ np.array([1, DENOMINATOR, DENOMINATOR**2]))
