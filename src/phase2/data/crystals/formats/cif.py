"""CIF: the crystallographic information file."""

from __future__ import annotations

from pathlib import Path

from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.parsing import parse_file
from phase2.data.crystals.formats.pymatgen import from_pymatgen


def read_cif(path: Path, id: str | None = None) -> Crystal:  # noqa: A002 - the crystal's own field
    """Read a CIF with one ordered structure; the cell is kept as written.

    Raises:
        DataError: The file cannot be read.
        InvalidCrystalError: It holds no, several, or no valid ordered crystal; the message names file and site.
    """
    return parse_file(path, id, _parse)


def _parse(text: str, crystal_id: str) -> Crystal:
    from pymatgen.io.cif import CifParser

    # Tolerant of occupancies here, because from_pymatgen names the site.
    parser = CifParser.from_str(text, occupancy_tolerance=100.0)
    structures = parser.parse_structures(primitive=False)
    if len(structures) > 1:
        formulas = ", ".join(structure.composition.reduced_formula for structure in structures)
        raise ValueError(f"it holds {len(structures)} structures ({formulas}), expected one")
    crystal = from_pymatgen(structures[0], crystal_id)
    reason = parser.check(structures[0])
    # A truncated file still parses, with fewer atoms than its formula says.
    if reason and reason.startswith(("Missing elements", "Incorrect stoichiometry")):
        raise ValueError(f"its sites do not fit its formula: {reason}")
    return crystal
