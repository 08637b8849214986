"""POSCAR and CONTCAR: the structure files of VASP."""

from __future__ import annotations

from pathlib import Path

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.parsing import check_atoms, parse_file, parse_text
from phase2.data.crystals.formats.pymatgen import from_pymatgen

# Comment, scale, lattice, and at most ten lines of symbols and ten of counts.
_CELL_LINES, _HEAD_LINES = 5, 25


def read_poscar(path: Path, id: str | None = None, limits: ReadingLimits = DEFAULT_LIMITS) -> Crystal:  # noqa: A002
    """Read a POSCAR or CONTCAR that names its elements.

    Raises:
        DataError: The file cannot be read.
        InvalidCrystalError: It holds no valid crystal, or exceeds a limit; the message names file and site.
    """
    return parse_file(path, id, _parse, limits)


def poscar_crystal(text: str, subject: str, id: str, limits: ReadingLimits = DEFAULT_LIMITS) -> Crystal:  # noqa: A002
    """Read the text of a POSCAR, as :func:`read_poscar` reads a file.

    Args:
        text: The text.
        subject: Where it comes from, for messages: a path, or a name in an archive.
        id: Name of the crystal.
        limits: Limits of reading.

    Raises:
        InvalidCrystalError: As for :func:`read_poscar`.
    """
    return parse_text(text, subject, id, _parse, limits)


def _parse(text: str, crystal_id: str, limits: ReadingLimits) -> Crystal:
    check_atoms(crystal_id, _claimed_atoms(text), limits)

    from pymatgen.io.vasp.inputs import Poscar

    return from_pymatgen(Poscar.from_str(text).structure, crystal_id)


def _claimed_atoms(text: str) -> int:
    """Return the largest sum of counts in a line of the head, from which pymatgen makes lists at once."""
    blank_comment = not text.partition("\n")[0].strip()
    head = text.lstrip().split("\n", _HEAD_LINES)[:_HEAD_LINES]
    return max(map(_sum_of_counts, head[_CELL_LINES - blank_comment :]), default=0)


def _sum_of_counts(line: str) -> int:
    try:
        return sum(max(0, int(word)) for word in line.split())
    except ValueError:
        return 0
