"""XDATCAR: a trajectory of VASP, whose last frame is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.recognition import FRAME, is_poscar
from phase2.data.crystals.formats.vasp.poscar import parse_poscar
from phase2.errors import InvalidCrystalError


def parse_xdatcar(text: str, crystal_id: str, limits: ReadingLimits) -> Crystal:
    """Parse the text of the last frame of an XDATCAR; a file that only its name makes one is a POSCAR.

    Args:
        text: The whole text.
        crystal_id: Name of the crystal.
        limits: Limits of reading.

    Raises:
        InvalidCrystalError: It is no valid crystal, or exceeds a limit.
    """
    frame, count = last_frame(text, crystal_id)
    crystal = parse_poscar(frame, crystal_id, limits)
    return replace(crystal, remarks=(*crystal.remarks, f"the last of {count} frames")) if count > 1 else crystal


def last_frame(text: str, crystal_id: str) -> tuple[str, int]:
    """Return the last frame as the text of a POSCAR, and the number of frames; the text itself where it has none.

    Its header is the last one before it: a file has one, or one for each frame where the cell changes.

    Raises:
        InvalidCrystalError: Between two frames stands something else than positions and a header.
    """
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if FRAME.match(line)]
    if not starts:
        return text, 1
    header = lines[: starts[0]]
    for before, start in pairwise(starts):
        between = lines[before + 1 + _atoms(header) : start]
        if any(line.strip() for line in between):
            header = _header(between, before, crystal_id)
    mode = FRAME.match(lines[starts[-1]])
    return "\n".join((*header, mode[1] if mode else "Direct", *lines[starts[-1] + 1 :])), len(starts)


def _atoms(header: Sequence[str]) -> int:
    """Return the number of atoms: the sum of the last lines of whole numbers."""
    total = 0
    for line in reversed(header):
        words = line.split()
        if words and all(word.isdecimal() for word in words):
            total += sum(map(int, words))
        elif total:
            break
    return total


def _header(lines: Sequence[str], before: int, crystal_id: str) -> list[str]:
    for first in range(len(lines)):
        if is_poscar("\n".join(lines[first:])):
            return list(lines[first:])
    raise InvalidCrystalError.of(
        crystal_id, f"after the frame of line {before + 1} stands something else than positions and a header."
    )
