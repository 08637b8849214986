"""Atom sites of a CIF: as many as are written, or an error that names the site."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import gemmi
import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.formats.crystallographic.block import Block, is_missing, unquoted
from phase2.data.crystals.formats.crystallographic.positions import Positions
from phase2.data.crystals.formats.crystallographic.species import element, named_elements
from phase2.data.crystals.shown import shown

OCCUPANCY_TOLERANCE = 1e-3
_SHOWN = 5
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


@dataclass(frozen=True, slots=True)
class Sites:
    """Atom sites of a block.

    Attributes:
        sites: Those that hold an atom.
        remarks: What was left out or assumed.
    """

    sites: list[Site]
    remarks: tuple[str, ...]


def read_sites(block: Block, lattice: NDArray[np.float64]) -> Sites:
    """Read all atom sites; those with the occupancy 0, which hold nothing, are left out and remarked.

    Args:
        block: The block.
        lattice: Lattice vectors as rows, (3, 3), angstrom.

    Raises:
        InvalidCrystalError: One has no position, is no element, is not occupied by one whole atom, is a dummy or one of
            several alternatives, or all are vacant; the message names it.
    """
    count = block.site_count
    _refuse_models(block)
    labels = _optional(block, "_atom_site_label", "_atom_site_id", "_atom_site_label_atom_id", count=count)
    names = [unquoted(label) or f"number {k + 1}" for k, label in enumerate(labels)]
    types = _optional(block, "_atom_site_type_symbol", count=count)
    occupancies = _optional(block, "_atom_site_occupancy", count=count)
    flags = _optional(block, "_atom_site_calc_flag", count=count)
    multiplicities = _optional(block, *_MULTIPLICITY, count=count)
    positions, formula = Positions(block, lattice), named_elements(block)
    shares = [_occupancy(block, name, text) for name, text in zip(names, occupancies, strict=True)]
    occupied = [k for k, share in enumerate(shares) if share > OCCUPANCY_TOLERANCE]
    if not occupied:
        raise block.error(f"none of its {count} sites is occupied: all have the occupancy 0.")
    for group in ("_atom_site_disorder_group", "_atom_site_label_alt_id"):
        _refuse_alternatives(block, names, _optional(block, group, count=count), occupied)
    sites = []
    for k in occupied:
        name = names[k]
        if flags[k].lower().startswith("dum"):
            raise block.error(f"site {shown(name)} is a dummy (_atom_site_calc_flag dum), which is no atom.")
        symbol = element(block, name, types[k], formula)
        if shares[k] < 1 - OCCUPANCY_TOLERANCE:
            raise block.error(
                f"site {shown(name)} is disordered: it holds {shares[k]:g} {symbol}, expected one whole atom.", _ORDERED
            )
        sites.append(Site(name, symbol, *positions.read(k, name), _number(multiplicities[k])))
    return Sites(sites, tuple(_remarks(positions, [names[k] for k in range(count) if k not in set(occupied)])))


def _optional(block: Block, *names: str, count: int) -> Sequence[str]:
    for name in names:
        values = block.column(name)
        if values is not None and len(values) == count:
            return values
    return ["?"] * count


def _occupancy(block: Block, name: str, written: str) -> float:
    if is_missing(written):  # the default is 1
        return 1.0
    occupancy = gemmi.cif.as_number(written)
    if not -OCCUPANCY_TOLERANCE <= occupancy <= 1 + OCCUPANCY_TOLERANCE:
        raise block.error(f"site {shown(name)} has the occupancy {shown(unquoted(written))}, expected 0 to 1.")
    return occupancy


def _refuse_models(block: Block) -> None:
    """Refuse several models of one molecule, and atoms that only operators beside the space group would give."""
    models = {unquoted(value) for value in block.column("_atom_site_pdbx_pdb_model_num") or ()}
    if len(models) > 1:
        raise block.error(f"it holds {len(models)} models (pdbx_PDB_model_num), expected one.", "Keep one of them.")
    if any(unquoted(value) == "generate" for value in block.column("_struct_ncs_oper_code") or ()):
        raise block.error(
            "its sites are a part of the asymmetric unit, and operators (_struct_ncs_oper) generate the others.",
            "Write all sites of the asymmetric unit.",
        )


def _refuse_alternatives(block: Block, names: Sequence[str], groups: Sequence[str], occupied: Sequence[int]) -> None:
    """Refuse sites that are alternatives of each other, which may be written with whole occupancies."""
    grouped = {unquoted(groups[k]): names[k] for k in occupied if groups[k] not in _ORDERED_GROUPS}
    if len(grouped) > 1 or any(group.startswith("-") for group in grouped):
        named = ", ".join(f"{shown(label)} in group {shown(group)}" for group, label in grouped.items())
        raise block.error(f"it is disordered: its sites are alternatives of each other ({named}).", _ORDERED)


def _remarks(positions: Positions, vacant: Sequence[str]) -> Iterator[str]:
    if vacant:
        more = ", ..." if len(vacant) > _SHOWN else ""
        named = ", ".join(map(shown, vacant[:_SHOWN]))
        yield f"{len(vacant)} site(s) with the occupancy 0 are left out: {named}{more}"
    if positions.axes is not None and positions.axes.assumed:
        yield "its Cartesian positions are taken in the axes of mmCIF: a along x, b in the plane of x and y"


def _number(text: str) -> float | None:
    value = gemmi.cif.as_number(text)
    return value if math.isfinite(value) else None
