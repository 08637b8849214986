"""POSCAR and CONTCAR: the structure files of VASP, with the meaning that VASP gives them.

Source of the format: https://www.vasp.at/wiki/index.php/POSCAR.
"""

from __future__ import annotations

import numpy as np

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.parsing import check_atoms
from phase2.data.crystals.formats.vasp.cell import lattice_and_scale
from phase2.data.crystals.formats.vasp.lines import Lines
from phase2.data.crystals.formats.vasp.positions import read_positions
from phase2.data.crystals.formats.vasp.species import read_species


def parse_poscar(text: str, crystal_id: str, limits: ReadingLimits) -> Crystal:
    """Parse the text of a POSCAR or CONTCAR that names its elements; velocities and constraints are dropped.

    Args:
        text: The text.
        crystal_id: Name of the crystal.
        limits: Limits of reading.

    Raises:
        InvalidCrystalError: It holds no valid crystal, or exceeds a limit; the message names the line or site.
    """
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
