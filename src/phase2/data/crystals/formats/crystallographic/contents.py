"""What a CIF says about the contents of its cell, compared with the atoms that its sites and symmetry give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import gcd

import gemmi

from phase2.data.crystals.formats.crystallographic.block import Block
from phase2.data.crystals.formats.crystallographic.formula import amounts_of, plain_symbol
from phase2.data.crystals.formats.crystallographic.images import UnitCell
from phase2.data.crystals.formats.crystallographic.sites import Site
from phase2.data.crystals.shown import shown

_DENSITIES = {"_exptl_crystal_density_diffrn": 0.1, "_exptl_crystal_density_meas": 0.3}
"""Tolerances: measured densities are those of porous and impure samples."""

_GRAM_PER_CM3 = 1.66053907
"""Of one atomic mass unit per cubic angstrom."""

_RATIO_TOLERANCE = 0.01


def contradictions(
    block: Block, sites: Sequence[Site], cell: UnitCell, volume: float, operations: int
) -> Iterator[str]:
    """Yield, as clauses, what the file says about its contents and its atoms do not fulfil.

    Args:
        block: Block of the CIF.
        sites: Its sites.
        cell: The atoms that they give.
        volume: Volume of the cell, cubic angstrom.
        operations: Number of symmetry operations.
    """
    yield from _multiplicities(sites, cell, operations)
    yield from _formula(block, cell)
    yield from _density(block, cell, volume)


def _multiplicities(sites: Sequence[Site], cell: UnitCell, operations: int) -> Iterator[str]:
    """Compare multiplicities with numbers of images or, as SHELXL-97 wrote them, orders of site symmetries."""
    stated = [(site, images) for site, images in zip(sites, cell.images, strict=True) if site.multiplicity]
    if all(site.multiplicity == operations // images for site, images in stated):
        return
    for site, images in stated:
        if site.multiplicity != images:
            yield (
                f"site {shown(site.label)} has the multiplicity {site.multiplicity:g}, and its symmetry gives it "
                f"{images} image(s)"
            )
            return


def _formula(block: Block, cell: UnitCell) -> Iterator[str]:
    name, text = next(block.stated("_chemical_formula_sum"), ("", ""))
    formula = amounts_of(text)
    if not formula:
        return
    atoms = Counter(map(plain_symbol, cell.symbols))
    found = " ".join(f"{symbol}{count}" for symbol, count in sorted(atoms.items()))
    units = [atoms[symbol] / amount for symbol, amount in formula.items()]
    if atoms.keys() != formula.keys() or max(units) > min(units) * (1 + _RATIO_TOLERANCE):
        yield f"its sites do not fit its formula: {name} is {shown(text)}, and its cell holds {found}"
        return
    z_name, z_text = next(block.stated("_cell_formula_units_z"), ("", ""))
    z = gemmi.cif.as_number(z_text) if z_text else 0.0
    if z > 0:
        # pymatgen writes the contents of the cell as the formula, and how many reduced formulas these are: N8 is 4 N2.
        reduced = abs(units[0] - 1) < _RATIO_TOLERANCE and gcd(*atoms.values()) % z == 0
        if abs(units[0] / z - 1) > _RATIO_TOLERANCE and not reduced:
            yield f"{z_name} is {z:g} formula units {shown(text)} in the cell, and the cell holds {found}"
    elif abs(units[0] - max(1, round(units[0]))) > _RATIO_TOLERANCE * units[0]:
        yield f"{name} is {shown(text)}, and its cell holds {found}, which is no whole number of such units"


def _density(block: Block, cell: UnitCell, volume: float) -> Iterator[str]:
    density = _GRAM_PER_CM3 * sum(gemmi.Element(symbol).weight for symbol in cell.symbols) / volume
    for key, tolerance in _DENSITIES.items():
        for name, text in block.stated(key):
            stated = gemmi.cif.as_number(text)
            # Some files have it in kg/m3.
            if stated > 0 and all(abs(stated / unit / density - 1) > tolerance for unit in (1, 1000)):
                yield f"{name} is {stated:g}, and its cell has {density:.3g} g/cm3"
                return
