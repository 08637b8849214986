"""CIF: the crystallographic information file."""

from __future__ import annotations

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.parsing import check_atoms


def parse_cif(text: str, crystal_id: str, limits: ReadingLimits) -> Crystal:
    """Parse the text of a CIF with one ordered structure; the cell is kept as written.

    Args:
        text: The text.
        crystal_id: Name of the crystal.
        limits: Limits of reading.

    Raises:
        InvalidCrystalError: It holds no, several, or no valid ordered crystal, or exceeds a limit; the message
            names the site.
    """
    # gemmi is imported with these: data that are no CIF do without it.
    from phase2.data.crystals.formats.crystallographic.block import read_block
    from phase2.data.crystals.formats.crystallographic.cell import read_lattice
    from phase2.data.crystals.formats.crystallographic.sites import read_sites
    from phase2.data.crystals.formats.crystallographic.symmetry import Structure, unit_cell

    block = read_block(text, crystal_id, limits)
    check_atoms(crystal_id, block.site_count, limits)
    lattice = read_lattice(block)
    found = read_sites(block, lattice)
    cell, remarks = unit_cell(Structure(block, found.sites, lattice, limits))
    check_atoms(crystal_id, len(cell.symbols), limits)
    return Crystal.checked(crystal_id, cell.symbols, cell.positions, lattice, (*found.remarks, *remarks))
