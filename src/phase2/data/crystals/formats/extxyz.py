"""Extended XYZ: frames of ASE, each with a lattice."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.ase import from_ase
from phase2.data.crystals.formats.parsing import check_atoms

if TYPE_CHECKING:
    from ase import Atoms


def parse_extxyz(text: str, crystal_id: str, limits: ReadingLimits) -> Crystal:
    """Parse the text of one frame of an extended XYZ file.

    Args:
        text: The frame.
        crystal_id: Name of the crystal.
        limits: Limits of reading.

    Raises:
        InvalidCrystalError: It is no valid crystal, or exceeds a limit.
    """
    check_atoms(crystal_id, int(text.split(maxsplit=1)[0]), limits)

    from ase.io.extxyz import read_xyz

    atoms: Atoms = next(read_xyz(io.StringIO(text), 0))
    return from_ase(atoms, crystal_id)
