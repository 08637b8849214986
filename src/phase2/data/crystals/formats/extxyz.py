"""Extended XYZ: frames of ASE, each with a lattice."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.elements import ATOMIC_NUMBERS, SYMBOLS, nearest_symbol
from phase2.data.crystals.formats.ase import from_ase
from phase2.data.crystals.formats.occupancy import ORDERED, TOLERANCE, refuse_open_directions
from phase2.data.crystals.formats.parsing import check_atoms
from phase2.data.crystals.shown import shown
from phase2.errors import InvalidCrystalError

if TYPE_CHECKING:
    from ase import Atoms

_COLUMNS = "species:S:1:pos:R:3"  # where a comment says nothing
_QUOTED = re.compile(r'"[^"]*"|\'[^\']*\'|\{[^}]*\}|\[[^=]*\]')
_KEY = re.compile(r"(?:^|\s)([A-Za-z_][\w-]*)\s*=")


class _Column(NamedTuple):
    """Where the values of a name stand in a line, counted in words."""

    start: int
    width: int


def parse_extxyz(text: str, crystal_id: str, limits: ReadingLimits) -> Crystal:
    """Parse the text of one frame of an extended XYZ file.

    ASE reads it, after a check of what ASE passes over: it takes 'CO' for cobalt, atomic numbers rather than symbols
    that contradict them, and atoms without positions to be at the origin.

    Args:
        text: The frame.
        crystal_id: Name of the crystal.
        limits: Limits of reading.

    Raises:
        InvalidCrystalError: It is no valid crystal, or exceeds a limit.
    """
    check_atoms(crystal_id, int(text.split(maxsplit=1)[0]), limits)

    from ase.io.extxyz import key_val_str_to_dict, read_xyz

    count, comment, *lines = text.rstrip("\n").split("\n")
    info: Mapping[str, object] = key_val_str_to_dict(comment)
    _check_comment(crystal_id, comment, info)
    columns = _columns(crystal_id, str(info.get("Properties", _COLUMNS)))
    rows = [line.split() for line in lines]
    _check_rows(crystal_id, rows, columns)
    atoms: Atoms = next(read_xyz(io.StringIO("\n".join((count, comment, *map(" ".join, rows), ""))), 0))
    return from_ase(atoms, crystal_id)


def _check_comment(crystal_id: str, comment: str, info: Mapping[str, object]) -> None:
    """Refuse a comment without a lattice, of an open direction, or with a key that stands twice."""
    if "Lattice" not in info:
        raise InvalidCrystalError.of(
            crystal_id,
            "its comment has no Lattice, and a crystal has one.",
            'Write Lattice="ax ay az bx by bz cx cy cz"; the models do not cover molecules.',
        )
    periodic = info.get("pbc")
    if periodic is False:
        periodic = [False] * 3
    refuse_open_directions(crystal_id, periodic.tolist() if hasattr(periodic, "tolist") else periodic)
    for key, times in Counter(_KEY.findall(_QUOTED.sub(" ", comment))).items():
        if times > 1:
            raise InvalidCrystalError.of(crystal_id, f"its comment says {shown(key)} {times} times.")


def _columns(crystal_id: str, properties: str) -> dict[str, _Column]:
    found: dict[str, _Column] = {}
    fields, start = properties.split(":"), 0
    for name, width in zip(fields[::3], fields[2::3], strict=False):
        if name in found or not width.isdecimal():
            raise InvalidCrystalError.of(crystal_id, f"its Properties {shown(properties)} are no names, types, widths.")
        found[name] = _Column(start, int(width))
        start += int(width)
    if "pos" not in found or not found.keys() & {"species", "Z"}:
        raise InvalidCrystalError.of(
            crystal_id,
            f"its columns are {', '.join(map(shown, found))}; 'species' (or 'Z') and 'pos' are needed, in angstrom.",
            f"Write Properties={_COLUMNS}.",
        )
    return found


def _check_rows(crystal_id: str, rows: Sequence[list[str]], columns: Mapping[str, _Column]) -> None:
    """Check elements and occupancies, and write isotopes of hydrogen, which ASE does not know, as hydrogen."""
    species, numbers = columns.get("species"), columns.get("Z") or columns.get("numbers")
    shares = columns.get("occupancy") or columns.get("occupancies")
    last = sum(columns[list(columns)[-1]])
    for site, row in enumerate(rows):
        if len(row) < last:
            raise InvalidCrystalError.of(crystal_id, f"site {site} has {len(row)} columns, expected {last}.")
        symbol = row[species.start] if species else None
        if symbol is not None and symbol not in ATOMIC_NUMBERS:
            nearest = nearest_symbol(symbol)
            hint = f" Did you mean '{nearest}'?" if nearest else ""
            raise InvalidCrystalError.of(
                crystal_id, f"site {site} holds {shown(symbol)}, which is no chemical element.{hint}"
            )
        if symbol and numbers and row[numbers.start] != str(ATOMIC_NUMBERS[symbol]):
            raise InvalidCrystalError.of(
                crystal_id, f"site {site} holds {symbol}, with the atomic number {shown(row[numbers.start])}."
            )
        if shares and not abs(float(row[shares.start]) - 1) <= TOLERANCE:
            raise InvalidCrystalError.of(
                crystal_id, f"site {site} has the occupancy {shown(row[shares.start])}, expected 1.", ORDERED
            )
        if symbol and species:
            row[species.start] = SYMBOLS[ATOMIC_NUMBERS[symbol] - 1]
