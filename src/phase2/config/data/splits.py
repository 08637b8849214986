"""Names of splits, such as ``composition``, ``element:Li`` and ``kfold:5/1``: parsing and validation. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from phase2.config.data.elements import SYMBOLS
from phase2.errors import RequestError, UnknownNameError

GroupKey = Literal["composition", "chemsys", "spacegroup", "prototype"]
Method = Literal["random", "stratified", "groups", "element", "file", "kfold", "matbench"]

GROUP_KEYS: tuple[GroupKey, ...] = get_args(GroupKey)
SYMMETRIES = frozenset({"spacegroup", "prototype"})
"""Groups whose members are known only when the symmetry of every crystal is."""
COLUMN = "column:"
RANDOM = "random"
COMPOSITION = "composition"
JOINED = "+"
"""Separator of two groups whose common members stay together."""

MATBENCH_FOLDS = tuple(f"fold_{k}" for k in range(5))
MOST_FOLDS = 100
LONGEST = 1000
"""Characters of a name."""

FORMS = (
    *("random", "stratified", *GROUP_KEYS),
    *("element:Li", "column:NAME", "file:SPLIT.json", "kfold:5/1", "kfold:5/1:composition", "matbench:fold_0"),
)
"""Every form that a name takes, with an example of what follows the colon."""

_HEADS = tuple(dict.fromkeys(form.partition(":")[0] for form in FORMS))
_FOLD = re.compile(r"([0-9]{1,4})/([0-9]{1,4})(?::(.+))?")


@dataclass(frozen=True, slots=True)
class SplitName:
    """A parsed name.

    Attributes:
        text: The name.
        method: How crystals are divided.
        keys: What the crystals of one group have in common; empty where each crystal is its own group.
        argument: Element, path of the file, or fold of matbench.
        folds: Number of folds; 0 for other methods.
        fold: The fold that is the test part, from 1.
    """

    text: str
    method: Method
    keys: tuple[str, ...] = ()
    argument: str = ""
    folds: int = 0
    fold: int = 0

    @property
    def needs_symmetry(self) -> bool:
        """Whether the symmetry of every crystal decides where it goes."""
        return not SYMMETRIES.isdisjoint(self.keys)


def parse_split(text: str) -> SplitName:
    """Parse the name of a split.

    Raises:
        RequestError: What follows the colon is invalid.
        UnknownNameError: There is no such split, group or element; the nearest is offered.

    Example:
        >>> parse_split("composition+prototype").keys
        ('composition', 'prototype')
        >>> name = parse_split("kfold:5/1:chemsys")
        >>> name.method, name.folds, name.fold, name.keys
        ('kfold', 5, 1, ('chemsys',))
    """
    if len(text) > LONGEST:
        raise RequestError("The name of the split is too long.", fix=f"Give {LONGEST} characters or less.")
    head, colon, rest = text.partition(":")
    if colon and head in _WITH_ARGUMENT:
        return _WITH_ARGUMENT[head](text, rest)
    if text in ("random", "stratified"):
        return SplitName(text, "random" if text == RANDOM else "stratified")
    return SplitName(text, "groups", _groups(text, text))


def _groups(text: str, whole: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(JOINED))
    for key in keys:
        if key.removeprefix(COLUMN).strip() != key.strip() and key != COLUMN:
            continue
        if key not in GROUP_KEYS:
            raise _unknown(key, whole)
    return tuple(dict.fromkeys(keys))


def _element(text: str, symbol: str) -> SplitName:
    if symbol not in SYMBOLS:
        if symbol.capitalize() in SYMBOLS:
            raise RequestError(
                f"--split {text} names no element.",
                why="Symbols begin with a capital letter.",
                fix=f"Did you mean 'element:{symbol.capitalize()}'?",
            )
        raise UnknownNameError(
            f"Unknown element '{symbol}' in --split {text}.",
            why="The crystals with the element are the test part.",
            fix="Give a chemical symbol, such as element:Li.",
        )
    return SplitName(text, "element", argument=symbol)


def _file(text: str, path: str) -> SplitName:
    if not path.strip():
        raise RequestError(
            f"--split {text} names no file.", why="It holds the ids of each part.", fix="Write file:split.json, say."
        )
    return SplitName(text, "file", argument=path)


def _kfold(text: str, rest: str) -> SplitName:
    found = _FOLD.fullmatch(rest)
    if not found:
        raise RequestError(
            f"--split {text} names no fold.",
            why="It is the number of folds and the one to test on: kfold:5/1 is the first of five.",
            fix="Write kfold:5/1, or kfold:5/1:composition to keep each formula in one fold.",
        )
    folds, fold = int(found[1]), int(found[2])
    if not 2 <= folds <= MOST_FOLDS:
        raise RequestError(f"--split {text} has {folds} folds.", fix=f"Give 2 to {MOST_FOLDS}, such as kfold:5/1.")
    if not 1 <= fold <= folds:
        nearest = min(max(fold, 1), folds)
        raise RequestError(
            f"--split {text} names fold {fold} of {folds}.",
            why=f"The folds are kfold:{folds}/1 to kfold:{folds}/{folds}.",
            fix=f"Did you mean 'kfold:{folds}/{nearest}'?",
        )
    return SplitName(text, "kfold", _groups(found[3], text) if found[3] else (), folds=folds, fold=fold)


def _column(text: str, _: str) -> SplitName:
    return SplitName(text, "groups", _groups(text, text))


def _matbench(text: str, fold: str) -> SplitName:
    if fold not in MATBENCH_FOLDS:
        raise UnknownNameError.of("fold of matbench", fold, MATBENCH_FOLDS)
    return SplitName(text, "matbench", argument=fold)


_WITH_ARGUMENT: dict[str, Callable[[str, str], SplitName]] = {
    "element": _element,
    "file": _file,
    "kfold": _kfold,
    "matbench": _matbench,
    "column": _column,
}


def _unknown(key: str, whole: str) -> UnknownNameError:
    """Return the error for a name that is none, with the nearest."""
    if key != whole:
        return _no_group(key, whole)
    import difflib

    nearest = difflib.get_close_matches(key.partition(":")[0], _HEADS, n=1, cutoff=0.5)
    form = next((form for form in FORMS if nearest and form.partition(":")[0] == nearest[0]), None)
    return UnknownNameError(
        f"Unknown split '{key}'.",
        why=f"A split is one of {', '.join(FORMS)}.",
        fix=f"Did you mean '{form}'?" if form else "Use one of these.",
    )


def _no_group(key: str, whole: str) -> UnknownNameError:
    """Return the error for a part of a name that is no group, where a group alone can stand."""
    import difflib

    groups = (*GROUP_KEYS, f"{COLUMN}NAME")
    nearest = difflib.get_close_matches(key.partition(":")[0], [*GROUP_KEYS, COLUMN.rstrip(":")], n=1, cutoff=0.5)
    form = next((group for group in groups if nearest and group.partition(":")[0] == nearest[0]), None)
    fix = f"Did you mean '{form}'?" if form else "Use one of these."
    return UnknownNameError(
        f"Unknown group '{key}' in --split {whole}.",
        why=f"'kfold:' and '{JOINED}' take groups of crystals alone: {', '.join(groups)}.",
        fix=f"Use one of these, or another split: --split {key}." if key.partition(":")[0] in _HEADS else fix,
    )
