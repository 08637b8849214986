"""CIF: the crystallographic information file."""

from __future__ import annotations

from pathlib import Path

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.parsing import check_atoms, parse_file, parse_text


def read_cif(path: Path, id: str | None = None, limits: ReadingLimits = DEFAULT_LIMITS) -> Crystal:  # noqa: A002
    """Read a CIF with one ordered structure; the cell is kept as written.

    Raises:
        DataError: The file cannot be read.
        InvalidCrystalError: It holds no, several, or no valid ordered crystal, or exceeds a limit; the message names
            file and site.
    """
    return parse_file(path, id, _parse, limits)


def cif_crystal(text: str, subject: str, id: str, limits: ReadingLimits = DEFAULT_LIMITS) -> Crystal:  # noqa: A002
    """Read the text of a CIF, as :func:`read_cif` reads a file.

    Args:
        text: The text.
        subject: Where it comes from, for messages: a path, or a name in an archive.
        id: Name of the crystal.
        limits: Limits of reading.

    Raises:
        InvalidCrystalError: As for :func:`read_cif`.
    """
    return parse_text(text, subject, id, _parse, limits)


def _parse(text: str, crystal_id: str, limits: ReadingLimits) -> Crystal:
    # gemmi is imported with these: data that are no CIF do without it.
    from phase2.data.crystals.formats.crystallographic.block import read_block
    from phase2.data.crystals.formats.crystallographic.cell import read_lattice
    from phase2.data.crystals.formats.crystallographic.sites import read_sites
    from phase2.data.crystals.formats.crystallographic.symmetry import Structure, unit_cell

    block = read_block(text, crystal_id, limits)
    check_atoms(crystal_id, len(block.columns["_atom_site_fract_x"]), limits)
    lattice = read_lattice(block)
    cell = unit_cell(Structure(block, read_sites(block), lattice, limits))
    check_atoms(crystal_id, len(cell.symbols), limits)
    return Crystal.checked(crystal_id, cell.symbols, cell.positions, lattice)
