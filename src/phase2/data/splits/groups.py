"""Groups of crystals that a split keeps together: by composition, chemistry, symmetry or a column of the data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from phase2.config.data.splits import COLUMN
from phase2.data.crystals.symmetry import UNKNOWN
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.splits.files import PART_WORDS
from phase2.data.symmetry.table import SymmetryTable
from phase2.errors import DataError

_SYMBOL = re.compile("[A-Z][a-z]?")
_BETWEEN = "\t"
_MOST_PARTS = 6
"""Values of a column that says parts: train, val and test, and some that are in none."""

NAMES = {
    "composition": "different compositions",
    "chemsys": "different sets of elements",
    "spacegroup": "different space groups",
    "prototype": "different prototypes",
}


class GroupKeys:
    """Keys of the groups of the crystals of a data set.

    Args:
        graphs: The crystals.
        symmetry: Finds their symmetry; called only where a group needs it.
        column: Reads a column of the data set, by id; called likewise.
    """

    def __init__(
        self, graphs: PackedGraphs, symmetry: Callable[[], SymmetryTable], column: Callable[[str], Mapping[str, str]]
    ) -> None:
        self._graphs = graphs
        self._column = column
        self._find_symmetry = symmetry

    def of(self, names: Sequence[str]) -> list[str]:
        """Return the key of each crystal: crystals with one key agree in all of ``names``; without, each is its own."""
        if not names:
            return [str(name) for name in self._graphs.ids]
        columns = [self._one(name) for name in names]
        return [_BETWEEN.join(parts) for parts in zip(*columns, strict=True)]

    def _one(self, name: str) -> Sequence[str]:
        if name.startswith(COLUMN):
            column = name.removeprefix(COLUMN).strip()
            cells = self._column(column)
            values = [cells.get(str(one)) or "" for one in self._graphs.ids]
            _refuse_parts(column, values)
            if not any(values):
                raise DataError(
                    f"The column '{column}' is empty.",
                    why="No crystal has a value in it, and none would be kept together with another.",
                    fix="Fill it, or name another column.",
                )
            # Crystals without a cell are not known to belong together.
            return [value or f"? {one}" for value, one in zip(values, self._graphs.ids, strict=True)]
        formulas = [str(formula) for formula in self._graphs.formulas]
        if name == "composition":
            return formulas
        if name == "chemsys":
            return ["-".join(elements_of(formula)) for formula in formulas]
        if name == "spacegroup":
            return self._or_own(self._symmetry.numbers.astype(np.str_), self._symmetry.numbers == UNKNOWN)
        return self._or_own(self._symmetry.prototypes, self._symmetry.numbers == UNKNOWN)

    @cached_property
    def _symmetry(self) -> SymmetryTable:
        return self._find_symmetry()

    def _or_own(self, keys: NDArray[np.str_], unknown: NDArray[np.bool_]) -> list[str]:
        """Make a crystal without a known symmetry its own group, with those that have its formula."""
        formulas = self._graphs.formulas
        return [f"? {formulas[k]}" if unknown[k] else str(key) for k, key in enumerate(keys)]


def _refuse_parts(column: str, cells: Sequence[str]) -> None:
    """Refuse a column that says the part of each crystal: its values would be drawn into parts anew.

    Raises:
        DataError: Its values are ``train`` and ``val`` or ``test``, beside few others.
    """
    counts = Counter(cells)
    counts.pop("", None)
    named = {PART_WORDS.get(value.strip().lower()) for value in counts} - {None}
    if len(counts) > _MOST_PARTS or "train" not in named or len(named) < 2:
        return
    found = ", ".join(f"{value} ({count:,})" for value, count in counts.most_common())
    others = [value for value in counts if value.strip().lower() not in PART_WORDS]
    left = f", without those of {', '.join(others)}" if others else ""
    raise DataError(
        f"The column '{column}' says the part of each crystal: {found}.",
        why="column:NAME keeps equal values together and draws the part of each: 'train' could be the test part.",
        fix=f"Write ids and parts to a CSV{left}: --split file:SPLIT.csv.",
    )


def elements_of(formula: str) -> list[str]:
    """Return the elements of a formula.

    Example:
        >>> elements_of("Fe2O3")
        ['Fe', 'O']
    """
    return _SYMBOL.findall(formula)


def group_noun(names: Sequence[str]) -> str:
    """Return what groups are called in an error, in the plural."""
    if not names:
        return "crystals"
    return " and ".join(NAMES.get(name, f"different values of '{name.removeprefix(COLUMN)}'") for name in names)


def more_groups(names: Sequence[str]) -> str:
    """Return what helps where there are too few groups for three parts."""
    if not names:
        return "Use more data."
    fix = "Use more data, or --split random."
    for column in (name.removeprefix(COLUMN) for name in names if name.startswith(COLUMN)):
        fix += f" Where '{column}' says the part of each crystal, write ids and parts to a CSV: --split file:SPLIT.csv."
    return fix
