"""The split of a data set by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phase2.config.data.splits import SplitName, parse_split
from phase2.config.schema import DataConfig
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.splits.draw import draw_split, draw_validation, in_random_order, validation_share
from phase2.data.splits.files import read_split_file, shown
from phase2.data.splits.folds import fold_of_each, matbench_test_rows, row_numbers
from phase2.data.splits.groups import GroupKeys, elements_of, group_noun, more_groups
from phase2.data.splits.split import Split
from phase2.data.symmetry.table import SymmetryTable
from phase2.errors import DataError
from phase2.storage.disk.home import expand_home


@dataclass(frozen=True, slots=True, eq=False)
class AssignedSplit:
    """A split, and what is to be said of it.

    Attributes:
        split: The parts.
        file_sha256: SHA-256 of the split file; None without one.
        missing: Ids of the split file that the data set does not have.
        outside: Crystals of the data set that the split file does not name: they are in no part.
    """

    split: Split
    file_sha256: str | None = None
    missing: tuple[str, ...] = ()
    outside: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class SplitInput:
    """What a split may depend on.

    Attributes:
        graphs: The crystals, with their labels.
        rejected: Names of the records that are no valid crystal.
        symmetry: Finds the symmetry of the crystals; called only where the split needs it.
        column: Reads a column of the data set, by id; called likewise.
    """

    graphs: PackedGraphs
    rejected: Sequence[str]
    symmetry: Callable[[], SymmetryTable]
    column: Callable[[str], Mapping[str, str]]

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which labels each crystal has, (B, P)."""
        return np.isfinite(np.asarray(self.graphs.targets))


def assign_parts(config: DataConfig, data: SplitInput) -> AssignedSplit:
    """Divide the crystals of a data set as its settings say.

    Args:
        config: Name, seed and fractions of the split.
        data: What it may depend on.

    Raises:
        DataError: The crystals cannot be divided so, or the split file cannot be used.
        RequestError: A fraction is not positive.
    """
    name = parse_split(config.split_name)
    graphs, seed = data.graphs, config.split_seed
    if name.method in ("random", "stratified", "groups"):
        return AssignedSplit(
            draw_split(
                graphs.ids,
                _keys(name, data),
                seed=seed,
                fractions=config.fractions,
                unit=group_noun(name.keys),
                fix=more_groups(name.keys),
                labelled=None if name.method == "random" else data.labelled,
            )
        )
    if name.method == "file":
        return _from_file(name, config, data)
    test = _test_rows(name, config, data)
    return AssignedSplit(_with_validation(name, config, data, test))


def _keys(name: SplitName, data: SplitInput) -> Sequence[str]:
    return GroupKeys(data.graphs, data.symmetry, data.column).of(name.keys)


def _test_rows(name: SplitName, config: DataConfig, data: SplitInput) -> NDArray[np.bool_]:
    """Mark the test crystals of a fold, or of a left-out element."""
    graphs = data.graphs
    if name.method == "kfold":
        keys = _keys(name, data)
        unit = group_noun(name.keys)
        fold = fold_of_each(
            graphs.ids, keys, folds=name.folds, seed=config.split_seed, labelled=data.labelled, unit=unit
        )
        return np.asarray(fold == name.fold - 1)
    if name.method == "matbench":
        rows, total = row_numbers(graphs.ids, data.rejected)
        return np.isin(rows, matbench_test_rows(total, name.argument))
    marked = np.array([name.argument in elements_of(str(formula)) for formula in graphs.formulas])
    if not marked.any() or marked.all():
        count = "no" if not marked.any() else "every"
        raise DataError(
            f"The split {name.text} leaves a part empty: {count} crystal of the data set has {name.argument}.",
            why="Crystals with the element are the test part, the others are for training and validation.",
            fix="Name an element that some of the crystals have: " + ", ".join(_frequent(graphs)) + ".",
        )
    return marked


def _with_validation(name: SplitName, config: DataConfig, data: SplitInput, test: NDArray[np.bool_]) -> Split:
    ids, seed = data.graphs.ids, config.split_seed
    train, val = draw_validation(
        ids,
        _keys(name, data),
        np.flatnonzero(~test),
        seed=seed,
        share=validation_share(config.fractions),
        unit=group_noun(name.keys),
        fix="Use more data, or another split" + (", or more folds." if name.folds else "."),
        labelled=data.labelled,
    )
    return Split(train, val, in_random_order([np.flatnonzero(test).tolist()], ids, seed))


def _from_file(name: SplitName, config: DataConfig, data: SplitInput) -> AssignedSplit:
    file = read_split_file(expand_home(name.argument))
    ids, seed = data.graphs.ids, config.split_seed
    row = {str(one): k for k, one in enumerate(ids)}
    if file.heading in row:
        raise DataError(
            f"The first row of {name.argument} has no part for '{file.heading}'.",
            why="It would be taken for the headings, since no train, val or test stands behind the id.",
            fix="Correct the row.",
        )
    missing = [one for one in file.part if one not in row]
    if len(missing) == len(file.part):
        raise DataError(
            f"None of the {len(missing):,} ids of {name.argument} is in the data set.",
            why=f"The file has ids such as {sorted(missing)[0]}, and the data set such as {ids[0]}.",
            fix="Give the split file of this data set.",
        )
    rows = {part: [row[one] for one, other in file.part.items() if other == part and one in row] for part in _PARTS}
    empty = [part for part in _PARTS if not rows[part] and (part != "val" or file.has("val"))]
    if empty:
        raise DataError(
            f"The data set has no crystal of the {_PARTS[empty[0]]} part of {name.argument}.",
            why=f"It lacks {shown(missing)}.",
            fix="Give the split file of this data set.",
        )
    train, val, test = (in_random_order([rows[part]], ids, seed) for part in _PARTS)
    if not len(val):
        share = validation_share(config.fractions)
        train, val = draw_validation(ids, ids, train, seed=seed, share=share, labelled=data.labelled)
    outside = len(ids) - len(train) - len(val) - len(test)
    return AssignedSplit(Split(train, val, test), file.sha256, tuple(missing), outside)


_PARTS = {"train": "training", "val": "validation", "test": "test"}


def _frequent(graphs: PackedGraphs) -> list[str]:
    counts = Counter(element for formula in graphs.formulas for element in elements_of(str(formula)))
    return [element for element, count in counts.most_common(12) if count < len(graphs)]
