"""POSCAR and CONTCAR: the structure files of VASP, with the meaning that VASP gives them.

Source of the format: https://www.vasp.at/wiki/index.php/POSCAR.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.parsing import check_atoms, parse_file, parse_text
from phase2.data.crystals.formats.vasp.cell import lattice_and_scale
from phase2.data.crystals.formats.vasp.lines import Lines
from phase2.data.crystals.formats.vasp.positions import read_positions
from phase2.data.crystals.formats.vasp.species import read_species


def read_poscar(path: Path, id: str | None = None, limits: ReadingLimits = DEFAULT_LIMITS) -> Crystal:  # noqa: A002
    """Read a POSCAR or CONTCAR that names its elements; velocities and constraints are dropped.

    Raises:
        DataError: The file cannot be read.
        InvalidCrystalError: It holds no valid crystal, or exceeds a limit; the message names file and line or site.
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
    lines = Lines(text, crystal_id)
    lines.skip()  # the comment
    lattice, scale = lattice_and_scale(lines)
    kinds = read_species(lines)
    check_atoms(crystal_id, sum(kinds.counts), limits)
    mode, positions, symbols = read_positions(lines, kinds)
    if mode == "cartesian":
        # A cell without volume is reported by Crystal.checked.
        volume = abs(np.linalg.det(lattice))
        positions = positions * scale @ np.linalg.inv(lattice) if volume > 0 else positions
    return Crystal.checked(crystal_id, symbols, positions, lattice)
