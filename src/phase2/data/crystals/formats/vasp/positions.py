"""Mode and positions of a POSCAR."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.elements import ATOMIC_NUMBERS
from phase2.data.crystals.formats.vasp.lines import Lines, as_number, three_numbers
from phase2.data.crystals.formats.vasp.species import Kinds
from phase2.data.crystals.shown import shown

Mode = Literal["direct", "cartesian"]


def read_positions(lines: Lines, kinds: Kinds) -> tuple[Mode, NDArray[np.float64], list[str]]:
    """Read the mode and the positions; what follows them, such as velocities, is not read.

    Args:
        lines: Lines after the counts.
        kinds: Elements and counts.

    Returns:
        The mode, the positions as written, (N, 3), and the chemical symbol of each.

    Raises:
        InvalidCrystalError: The mode or a position is missing, there are more positions than the counts say, or the
            elements are missing or contradict symbols beside the positions.
    """
    selective = lines.peek()[:1] in {"S", "s"}
    if selective:
        lines.skip()
    mode = _mode(lines)
    rows = _rows(lines, sum(kinds.counts))
    positions = np.array([three_numbers(lines, number, row, "a position") for number, row in rows]).reshape(-1, 3)
    return mode, positions, _symbols(lines, kinds, [_symbol_beside(row, selective) for _, row in rows])


def _mode(lines: Lines) -> Mode:
    number, line = lines.number, lines.skip()
    first = line[:1].lower()
    if first in {"c", "k"}:
        return "cartesian"
    # VASP takes any other line for "Direct", also the first position where the mode is missing.
    if first == "d" or line.lower().startswith("frac"):
        return "direct"
    raise lines.error(
        f"line {number} should say 'Direct' or 'Cartesian', and is {shown(line)}.",
        "Write the kind of the positions in a line of its own, after the numbers of atoms.",
    )


def _rows(lines: Lines, count: int) -> list[tuple[int, str]]:
    """Return as many lines as there are atoms, with their numbers; blank ones between them are skipped."""
    rows: list[tuple[int, str]] = []
    gap = False
    while len(rows) < count and not lines.at_end:
        number, line = lines.number, lines.skip()
        if line:
            if as_number(line.split()[0]) is None:
                break
            rows.append((number, line))
        gap |= bool(rows) and not line
    if len(rows) < count:
        raise lines.error(f"it has {len(rows)} positions, and its numbers of atoms add up to {count}.")
    words = lines.peek().split()
    # Behind a gap may be the velocities, some of which would have been taken for positions.
    if gap and not lines.at_end:
        raise lines.error(f"it has a blank line among its {count} positions, and more lines after them.")
    if words and as_number(words[0]) is not None:
        raise lines.error(f"it has more positions than the {count} of its numbers of atoms (line {lines.number}).")
    return rows


def _symbols(lines: Lines, kinds: Kinds, beside: list[str | None]) -> list[str]:
    """Return the symbol of each atom, from the names or, without them, from what stands beside the positions."""
    written = [symbol for symbol in beside if symbol is not None]
    complete = bool(written) and len(written) == len(beside)
    if not kinds.symbols:
        if not complete:
            raise lines.error(
                "the names of its elements are missing, as in files of VASP 4: the numbers of atoms follow the "
                "lattice at once.",
                "Add a line of chemical symbols, as in 'Na Cl', above the numbers of atoms.",
            )
        return written
    named = [symbol for symbol, count in zip(kinds.symbols, kinds.counts, strict=True) for _ in range(count)]
    if complete:
        for atom, (name, symbol) in enumerate(zip(named, written, strict=True)):
            if ATOMIC_NUMBERS[name] != ATOMIC_NUMBERS[symbol]:
                raise lines.error(f"position {atom + 1} is {name} by the line of names, and {symbol} beside it.")
    return named


def _symbol_beside(row: str, selective: bool) -> str | None:  # noqa: FBT001 - a flag of the file
    """Return the chemical symbol behind a position, which pymatgen writes and VASP ignores."""
    words = row.split()[3:]
    if selective:
        words = words[3:]
    if len(words) != 1:
        return None
    letters = words[0].rstrip("+-0123456789.")
    return letters if letters in ATOMIC_NUMBERS else None
