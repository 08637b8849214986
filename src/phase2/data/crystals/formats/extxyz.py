"""Extended XYZ: frames of ASE, each with a lattice."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.ase import from_ase
from phase2.data.crystals.formats.parsing import check_atoms, parse_text

if TYPE_CHECKING:
    from ase import Atoms


def extxyz_crystal(text: str, subject: str, id: str, limits: ReadingLimits) -> Crystal:  # noqa: A002
    """Parse one frame of an extended XYZ file.

    Args:
        text: The frame.
        subject: Its file, for messages.
        id: Name of the crystal.
        limits: Limits of reading.

    Raises:
        InvalidCrystalError: It is no valid crystal, or exceeds a limit; the message names the subject.
    """
    return parse_text(text, subject, id, _parse, limits)


def _parse(text: str, crystal_id: str, limits: ReadingLimits) -> Crystal:
    check_atoms(crystal_id, int(text.split(maxsplit=1)[0]), limits)

    from ase.io.extxyz import read_xyz

    atoms: Atoms = next(read_xyz(io.StringIO(text), 0))
    return from_ase(atoms, crystal_id)
