"""Extended XYZ files: many frames, split here and parsed by ASE later."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.files.compressed import READ_ERRORS, unreadable
from phase2.data.crystals.files.content import Content, Record
from phase2.data.crystals.files.json_cursor import Unreadable
from phase2.data.crystals.formats.schemas import FoundStructure
from phase2.data.crystals.shown import cut, shown
from phase2.errors import DataError

_LONGEST_COUNT = 40


def read_extxyz(content: Content, limits: ReadingLimits) -> Iterator[Record]:
    """Yield a record for each frame: its text, and what its comment says as labels.

    Raises:
        DataError: The file cannot be read, or has something else where a frame begins.
    """
    try:
        with content.lines() as lines:
            first = _next_line(lines, limits)
            while first:
                frame = _frame(content, lines, first, limits)
                if first := _next_line(lines, limits):  # what follows tells whether the frame has all of its atoms
                    _count(content, first)
                yield None, frame
    except READ_ERRORS as error:
        raise unreadable(Path(content.subject), error) from error


def _next_line(lines: TextIO, limits: ReadingLimits) -> str:
    """Return the next line that is not empty, "" at the end."""
    read = iter(lambda: lines.readline(limits.line_length + 1), "")
    return next((line for line in read if line.strip()), "")


def _frame(content: Content, lines: TextIO, first: str, limits: ReadingLimits) -> object:
    count = _count(content, first)
    comment = lines.readline(limits.line_length + 1)
    if count > limits.atoms:
        _pass_over(lines, count, limits)
        return Unreadable.beyond(limits.exceeded("atoms", "The frame", f"it has {count:,} atoms"))
    body = [lines.readline(limits.line_length + 1) for _ in range(count)]
    if max(map(len, (comment, *body)), default=0) > limits.line_length:
        raise limits.exceeded("line_length", content.subject, "it has a longer line")
    if not body or not body[-1].strip():
        return Unreadable(f"The frame says {count:,} atoms, and has fewer lines: the file is cut off.")
    text = "".join((first, comment, *body))
    return {**_labels(comment), "structure": FoundStructure("extxyz", text)}


def _count(content: Content, line: str) -> int:
    if len(line) <= _LONGEST_COUNT and line.strip().isdecimal():
        return int(line)
    raise DataError(
        f"{content.subject} is no extended XYZ file.",
        why=f"A frame begins with its number of atoms, and there is {shown(line.strip())}.",
        fix="Correct the number of atoms above it, or write the file again, with ase.io.write(path, atoms).",
    )


def _pass_over(lines: TextIO, count: int, limits: ReadingLimits) -> None:
    for line in islice(iter(lambda: lines.readline(limits.line_length + 1), ""), count):
        if len(line) > limits.line_length:
            raise limits.exceeded("line_length", cut(line, 20), "it has a longer line")


def _labels(comment: str) -> dict[str, object]:
    """Return what a comment says besides lattice and columns: ``band_gap=1.2 name=mp-149``."""
    from ase.io.extxyz import key_val_str_to_dict

    try:
        found = key_val_str_to_dict(comment)
    except (ValueError, LookupError, TypeError):
        return {}  # the parser says what is wrong with the frame
    return {
        str(key): value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else value
        for key, value in found.items()
        if key.lower() not in {"lattice", "properties", "pbc", "structure"}
    }
