"""XDATCAR: a trajectory of VASP, whose last frame is read."""

from __future__ import annotations

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.poscar import parse_poscar
from phase2.data.crystals.formats.recognition import FRAME, is_poscar

_HEADER_LINES = 7  # comment, scale, three vectors, symbols and counts


def parse_xdatcar(text: str, crystal_id: str, limits: ReadingLimits) -> Crystal:
    """Parse the text of the last frame of an XDATCAR; a file that only its name makes one is a POSCAR.

    Args:
        text: The whole text.
        crystal_id: Name of the crystal.
        limits: Limits of reading.

    Raises:
        InvalidCrystalError: It is no valid crystal, or exceeds a limit.
    """
    return parse_poscar(last_frame(text), crystal_id, limits)


def last_frame(text: str) -> str:
    """Return the last frame as the text of a POSCAR; the text itself where it has no frames.

    Its header is the last one before it: a file has one, or one for each frame where the cell changes.
    """
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if FRAME.match(line)]
    if not starts:
        return text
    header: list[str] = lines[: starts[0]]
    for start in starts:
        before = lines[max(0, start - _HEADER_LINES) : start]
        if is_poscar("\n".join(before)):
            header = before
    return "\n".join((*header, "Direct", *lines[starts[-1] + 1 :]))
