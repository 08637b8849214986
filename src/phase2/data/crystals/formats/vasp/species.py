"""Element names and counts of a POSCAR."""

from __future__ import annotations

import re
from typing import NamedTuple

from phase2.data.crystals.elements import ATOMIC_NUMBERS, nearest_symbol
from phase2.data.crystals.formats.vasp.lines import Lines
from phase2.data.crystals.shown import cut, shown

_COUNT = re.compile(r"\d+", re.ASCII)
_COMMENT = re.compile(r"[!#].*")
# Names of potentials end in a variant, a hash or both: Fe_pv, O_s_GW, Si/3a7f.
_NAME = re.compile(r"([A-Za-z]+)(?:[_/]\S*)?")


class Kinds(NamedTuple):
    """Atoms of one element, in the order of the positions.

    Attributes:
        symbols: Chemical symbols; empty in a file of VASP 4, which has none.
        counts: Numbers of atoms.
    """

    symbols: tuple[str, ...]
    counts: tuple[int, ...]


def read_species(lines: Lines) -> Kinds:
    """Read the lines of names and counts, each of which may be broken into several.

    Raises:
        InvalidCrystalError: They are missing, do not fit each other, or name no elements.
    """
    names = _names(lines)
    number = lines.number
    counts = _counts(lines, len(names))
    if not counts:
        raise lines.error(
            f"line {number} should have the numbers of atoms, as in '4 4', and is {shown(lines.peek())}.",
            "Write one whole number for each element name.",
        )
    if names and len(names) != len(counts):
        raise lines.error(
            f"it names {len(names)} elements ({cut(' '.join(names), 100)}) and has {len(counts)} numbers of atoms "
            f"({cut(' '.join(map(str, counts)), 100)}).",
            "Write one number for each name.",
        )
    return Kinds(tuple(_symbol(lines, name) for name in names), counts)


def element_of(name: str) -> str | None:
    """Return the element of the name of a potential, None for what is no element.

    >>> element_of("Fe_pv"), element_of("O/3a7f"), element_of("Va"), element_of("NA")
    ('Fe', 'O', None, None)
    """
    match = _NAME.fullmatch(name)
    return match[1] if match and match[1] in ATOMIC_NUMBERS else None


def _names(lines: Lines) -> list[str]:
    names: list[str] = []
    while (words := _COMMENT.sub("", lines.peek()).split()) and not words[0].lstrip("+-")[:1].isdigit():
        names += words
        lines.skip()
    return names


def _counts(lines: Lines, expected: int) -> tuple[int, ...]:
    counts: list[int] = []
    while words := _COMMENT.sub("", lines.peek()).split():
        if not all(map(_COUNT.fullmatch, words)):
            break
        counts += map(int, words)
        lines.skip()
        if len(counts) >= expected:
            break
    return tuple(counts)


def _symbol(lines: Lines, name: str) -> str:
    symbol = element_of(name)
    if symbol is None:
        nearest = nearest_symbol(name.partition("_")[0].partition("/")[0])
        hint = f" Did you mean '{nearest}'?" if nearest else ""
        raise lines.error(
            f"it names an element {shown(name)}, which is none.{hint}", "Write chemical symbols, as in 'Na Cl'."
        )
    return symbol
