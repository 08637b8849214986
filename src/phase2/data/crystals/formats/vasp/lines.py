"""Lines of a POSCAR, with their numbers for messages, and numbers as Fortran writes them."""

from __future__ import annotations

import re

from phase2.data.crystals.shown import shown
from phase2.errors import InvalidCrystalError

_BREAK = re.compile(r"\r\n|\r|\n")
# A mantissa, and an exponent with its letter or with its sign.
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eEdDqQ]([+-]?\d+)|([+-]\d+))?", re.ASCII)


class Lines:
    """Cursor over the lines of a file.

    Args:
        text: The file.
        crystal_id: Name of the crystal, for messages.
    """

    def __init__(self, text: str, crystal_id: str) -> None:
        self.crystal_id = crystal_id
        self._lines = _BREAK.split(text)
        self._next = 0
        self._end = next((k for k in range(len(self._lines), 0, -1) if self._lines[k - 1].strip()), 0)

    def peek(self) -> str:
        """Return the next line without white space at its ends; "" at the end of the file."""
        return self._lines[self._next].strip() if self._next < len(self._lines) else ""

    @property
    def at_end(self) -> bool:
        """Whether no line is left that is not blank."""
        return self._next >= self._end

    @property
    def number(self) -> int:
        """Number of the next line in the file, from 1."""
        return self._next + 1

    def skip(self) -> str:
        """Return the next line and move past it."""
        line = self.peek()
        self._next += 1
        return line

    def skip_blank(self) -> None:
        """Move past blank lines, as Fortran does where it reads numbers."""
        while not self.at_end and not self.peek():
            self._next += 1

    def error(self, why: str, fix: str = "Correct or remove this structure.") -> InvalidCrystalError:
        """Build the error for the crystal."""
        return InvalidCrystalError.of(self.crystal_id, why, fix)


def as_number(word: str) -> float | None:
    """Return a number as Fortran reads it, None for another word.

    >>> as_number("1.5D+01"), as_number("2"), as_number("Si"), as_number("0,5")
    (15.0, 2.0, None, None)
    """
    match = _NUMBER.fullmatch(word)
    return float(f"{match[1]}e{match[2] or match[3] or 0}") if match else None


def vector(lines: Lines, what: str) -> list[float]:
    """Read three numbers from the next line that is not blank; what follows them is a comment.

    Raises:
        InvalidCrystalError: They are not there.
    """
    lines.skip_blank()
    number, line = lines.number, lines.skip()
    return three_numbers(lines, number, line, what)


def three_numbers(lines: Lines, number: int, line: str, what: str) -> list[float]:
    """Return the three numbers that a line begins with.

    Raises:
        InvalidCrystalError: They are not there.
    """
    values = [as_number(word) for word in line.split()[:3]]
    found = [value for value in values if value is not None]
    if len(found) != 3:
        raise lines.error(f"line {number} should be {what}, three numbers, and is {shown(line)}.")
    return found
