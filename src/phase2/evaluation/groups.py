"""Kinds of crystals by which errors are told apart: elements, crystal systems, space groups, sizes, known or new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.elements import SYMBOLS
from phase2.runs.records.crystals import CRYSTAL_SYSTEMS, crystal_system
from phase2.runs.report.html.groups import elements_of, sizes

KINDS = ("element", "system", "spacegroup", "size", "training")
"""What crystals are grouped by; ``training`` is whether the model was trained on the same structure."""

SEEN, NEAR, NEW = "same as a training crystal", "near-twin of a training crystal", "not in training"


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """What is known of B crystals.

    Attributes:
        formulas: Reduced formulas, (B,).
        atoms: Atoms in their cells, (B,) int64.
        space_groups: Space groups, (B,) int64; 0 where none was found or looked for.
        training: Kinship with the training set of the model, (B,) of ``SEEN``, ``NEAR`` and ``NEW``; None where the
            training set is not known.
    """

    formulas: Sequence[str]
    atoms: NDArray[np.int64]
    space_groups: NDArray[np.int64]
    training: NDArray[np.str_] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Some crystals.

    Attributes:
        kind: What they are grouped by, one of ``KINDS``.
        name: What they have in common.
        members: Which crystals are in it, (B,) bool.
    """

    kind: str
    name: str
    members: NDArray[np.bool_]


def groups_of(crystals: Described, kinds: Sequence[str] = KINDS) -> list[Group]:
    """Group crystals; a crystal is in one group of each kind, but in those of all its elements."""
    makers: Mapping[str, Iterator[Group]] = {
        "element": _by_element(crystals.formulas),
        "system": _by_name("system", np.array([crystal_system(g) for g in crystals.space_groups]), CRYSTAL_SYSTEMS),
        "spacegroup": _by_space_group(crystals.space_groups),
        "size": _by_size(crystals.atoms),
        "training": _by_name("training", crystals.training, (SEEN, NEAR, NEW)),
    }
    return [group for kind in kinds for group in makers[kind]]


def in_order(kind: str, names: Sequence[str]) -> list[str]:
    """Sort names of groups as :func:`groups_of` does: elements by number, cells by size, and so on."""
    if kind == "spacegroup":
        return sorted(names, key=int)
    orders = {
        "element": SYMBOLS, "system": CRYSTAL_SYSTEMS, "training": (SEEN, NEAR, NEW),
        "size": [name for name, *_ in sizes()],
    }  # fmt: skip
    return sorted(names, key=orders[kind].index)


def _by_element(formulas: Sequence[str]) -> Iterator[Group]:
    members: dict[str, list[int]] = {}
    for row, formula in enumerate(formulas):
        for symbol in elements_of(formula):
            members.setdefault(symbol, []).append(row)
    for symbol in SYMBOLS:
        if symbol in members:
            chosen = np.zeros(len(formulas), dtype=bool)
            chosen[members[symbol]] = True
            yield Group("element", symbol, chosen)


def _by_name(kind: str, names: NDArray[np.str_] | None, order: Sequence[str]) -> Iterator[Group]:
    if names is not None:
        for name in order:
            if (names == name).any():
                yield Group(kind, name, names == name)


def _by_space_group(space_groups: NDArray[np.int64]) -> Iterator[Group]:
    for number in np.unique(space_groups):
        if number:
            yield Group("spacegroup", str(number), space_groups == number)


def _by_size(atoms: NDArray[np.int64]) -> Iterator[Group]:
    for name, low, high in sizes():
        inside = (atoms >= low) & ((atoms <= high) if high else True)
        if inside.any():
            yield Group("size", name, inside)
