"""Atom sites of a CIF: as many as are written, or an error that names the site."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import gemmi
import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.formats.crystallographic.block import Block, is_missing, unquoted
from phase2.data.crystals.formats.crystallographic.species import element
from phase2.data.crystals.shown import shown

OCCUPANCY_TOLERANCE = 1e-3
_DECIMALS = re.compile(r"\.(\d*)(?:\((\d+)\))?")
_FEWEST_DECIMALS = 2
"""Positions with fewer are taken as exact, such as 0.5: one unit of their last digit would be half an angstrom."""
_FINEST = 1e-4
_ORDERED_GROUPS = frozenset({"?", ".", "", "0"})
_ORDERED = "Replace the structure by an ordered approximant, or remove it."
_MULTIPLICITY = ("_atom_site_symmetry_multiplicity", "_atom_site_site_symmetry_multiplicity")


@dataclass(frozen=True, slots=True)
class Site:
    """Atom site of an asymmetric unit.

    Attributes:
        label: Its label.
        symbol: Chemical symbol.
        position: Fractional position as written, (3,).
        rounding: One unit of the last digit of each, (3,).
        multiplicity: What the file says is the number of its images, or the order of its site symmetry; None without.
    """

    label: str
    symbol: str
    position: NDArray[np.float64]
    rounding: NDArray[np.float64]
    multiplicity: float | None


def read_sites(block: Block) -> list[Site]:
    """Read all atom sites.

    Raises:
        InvalidCrystalError: One has no position, is no element, is not occupied by one whole atom, is a dummy or one of
            several alternatives; the message names it.
    """
    count = len(block.columns["_atom_site_fract_x"])
    labels = _optional(block, "_atom_site_label", "_atom_site_id", "_atom_site_label_atom_id", count=count)
    types = _optional(block, "_atom_site_type_symbol", count=count)
    coordinates = [_required(block, f"_atom_site_fract_{axis}", count) for axis in "xyz"]
    occupancies = _optional(block, "_atom_site_occupancy", count=count)
    flags = _optional(block, "_atom_site_calc_flag", count=count)
    multiplicities = _optional(block, *_MULTIPLICITY, count=count)
    _refuse_alternatives(block, labels, _optional(block, "_atom_site_disorder_group", count=count))
    sites = []
    for k, label in enumerate(labels):
        name = unquoted(label) or f"number {k + 1}"
        if flags[k].lower().startswith("dum"):
            raise block.error(f"site {shown(name)} is a dummy (_atom_site_calc_flag dum), which is no atom.")
        symbol = element(block, name, types[k])
        position, rounding = _position(block, name, [column[k] for column in coordinates])
        _check_occupancy(block, name, symbol, occupancies[k])
        sites.append(Site(name, symbol, position, rounding, _number(multiplicities[k])))
    return sites


def _optional(block: Block, *names: str, count: int) -> Sequence[str]:
    for name in names:
        values = block.column(name)
        if values is not None and len(values) == count:
            return values
    return ["?"] * count


def _required(block: Block, name: str, count: int) -> Sequence[str]:
    values = block.column(name)
    if values is None or len(values) != count:
        found = 0 if values is None else len(values)
        raise block.error(f"it has {count} values of _atom_site_fract_x and {found} of {name}.")
    return values


def _position(block: Block, name: str, written: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values = [gemmi.cif.as_number(value) for value in written]
    for axis, text, value in zip("xyz", written, values, strict=True):
        if not math.isfinite(value):
            missing = "no position" if is_missing(text) else f"{shown(unquoted(text))}, which is no number,"
            raise block.error(f"site {shown(name)} has {missing} in _atom_site_fract_{axis}.")
    return np.array(values), np.array([_rounding(text) for text in written])


def _rounding(text: str) -> float:
    """Return one unit of the last digit of a number, or its standard uncertainty where that is larger."""
    match = _DECIMALS.search(text)
    if match is None or len(match[1]) < _FEWEST_DECIMALS or "e" in text.lower():
        return _FINEST
    unit = 10.0 ** -len(match[1])
    return float(min(max(_FINEST, unit * 1.05, unit * int(match[2] or 0)), 10.0**-_FEWEST_DECIMALS * 1.05))


def _check_occupancy(block: Block, name: str, symbol: str, written: str) -> None:
    if is_missing(written):  # the default is 1
        return
    occupancy = gemmi.cif.as_number(written)
    if not -OCCUPANCY_TOLERANCE <= occupancy <= 1 + OCCUPANCY_TOLERANCE:
        raise block.error(f"site {shown(name)} has the occupancy {shown(unquoted(written))}, expected 0 to 1.")
    if occupancy < 1 - OCCUPANCY_TOLERANCE:
        raise block.error(
            f"site {shown(name)} is disordered: it holds {occupancy:g} {symbol}, expected one whole atom.", _ORDERED
        )


def _refuse_alternatives(block: Block, labels: Sequence[str], groups: Sequence[str]) -> None:
    """Refuse sites that are alternatives of each other, which may be written with whole occupancies."""
    grouped = {group: label for label, group in zip(labels, groups, strict=True) if group not in _ORDERED_GROUPS}
    if len(grouped) > 1 or any(group.startswith("-") for group in grouped):
        named = ", ".join(f"{shown(unquoted(label))} in group {shown(group)}" for group, label in grouped.items())
        raise block.error(f"it is disordered: its sites are alternatives of each other ({named}).", _ORDERED)


def _number(text: str) -> float | None:
    value = gemmi.cif.as_number(text)
    return value if math.isfinite(value) else None
