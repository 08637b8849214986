"""POSCAR and CONTCAR: the structure files of VASP."""

from __future__ import annotations

from pathlib import Path

from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.parsing import parse_file
from phase2.data.crystals.formats.pymatgen import from_pymatgen


def read_poscar(path: Path, id: str | None = None) -> Crystal:  # noqa: A002 - the crystal's own field
    """Read a POSCAR or CONTCAR that names its elements.

    Raises:
        DataError: The file cannot be read.
        InvalidCrystalError: It holds no valid crystal; the message names file and site.
    """
    return parse_file(path, id, _parse)


def _parse(text: str, crystal_id: str) -> Crystal:
    from pymatgen.io.vasp.inputs import Poscar

    return from_pymatgen(Poscar.from_str(text).structure, crystal_id)
