"""CIF: the crystallographic information file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.parsing import check_atoms, parse_file, parse_text
from phase2.data.crystals.formats.pymatgen import from_pymatgen

if TYPE_CHECKING:
    from pymatgen.io.cif import CifParser

_OPERATORS = (
    "_space_group_symop_operation_xyz",
    "_symmetry_equiv_pos_as_xyz",
    "_space_group_symop_magn_operation.xyz",
    "_space_group_symop_magn_centering.xyz",
)
_SITES = ("_atom_site_fract_x", "_atom_site_type_symbol", "_atom_site_label", "_atom_site_cartn_x")

# A site lies on at most this many operators of its point group (m-3m), and has the others' images.
_LARGEST_SITE_SYMMETRY = 48

_BLOCK = re.compile(r"^[ \t]*data_", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n\s*\n")
# Lines after a name of a column up to one that begins another loop, name or block.
_ROWS_OF_LOOP = re.compile(r"(?:\n(?![ \t]*(?:loop_|_|data_)).*)+")


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
    _refuse_long_loops(text, crystal_id, limits)

    from pymatgen.io.cif import CifParser

    # pymatgen takes the square of the length of a run of white space to find the blocks, and drops blank lines anyway.
    text = _BLANK_LINES.sub("\n", text)
    # Tolerant of occupancies here, because from_pymatgen names the site.
    parser = CifParser.from_str(text, occupancy_tolerance=100.0)
    _refuse_many_images(parser, crystal_id, limits)
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


def _refuse_long_loops(text: str, crystal_id: str, limits: ReadingLimits) -> None:
    """Refuse a file by its blocks and the lines of its loops, which takes no parser."""
    if (blocks := len(_BLOCK.findall(text))) > limits.blocks:
        raise limits.exceeded("blocks", f"Crystal '{crystal_id}'", f"it has {blocks:,} data blocks")
    lowered = text.lower()
    _check_operators(crystal_id, max(_lines_of_loop(lowered, name) for name in _OPERATORS), limits)
    check_atoms(crystal_id, max(_lines_of_loop(lowered, name) for name in _SITES), limits)


def _lines_of_loop(text: str, name: str) -> int:
    """Count the lines between the name of a column and what follows its loop; 0 without such a column."""
    start = text.find(name)
    if start < 0:
        return 0
    rows = _ROWS_OF_LOOP.search(text, start)
    return 0 if rows is None else rows[0].count("\n")


def _refuse_many_images(parser: CifParser, crystal_id: str, limits: ReadingLimits) -> None:
    """Refuse a file by the operators and sites of its blocks, before pymatgen applies all to all."""
    for block in parser.as_dict().values():
        operators = max(_length(block.get(name)) for name in _OPERATORS)
        sites = max(_length(block.get(name)) for name in _SITES)
        _check_operators(crystal_id, operators, limits)
        check_atoms(crystal_id, max(sites, sites * operators // _LARGEST_SITE_SYMMETRY), limits)


def _check_operators(crystal_id: str, count: int, limits: ReadingLimits) -> None:
    if count > limits.symmetry_operators:
        found = f"it has {count:,} symmetry operators"
        raise limits.exceeded("symmetry_operators", f"Crystal '{crystal_id}'", found)


def _length(values: str | Sequence[str] | None) -> int:
    return 0 if values is None else 1 if isinstance(values, str) else len(values)
