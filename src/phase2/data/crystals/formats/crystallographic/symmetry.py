"""The atoms of a cell by all that a CIF says about its symmetry, which may not contradict itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.elements import ATOMIC_NUMBERS
from phase2.data.crystals.formats.crystallographic.block import Block
from phase2.data.crystals.formats.crystallographic.claims import Claim, read_claims
from phase2.data.crystals.formats.crystallographic.contents import contradictions
from phase2.data.crystals.formats.crystallographic.group import Group, group_of
from phase2.data.crystals.formats.crystallographic.images import CoincidingSitesError, UnitCell, expand
from phase2.data.crystals.formats.crystallographic.operators import read_operators
from phase2.data.crystals.formats.crystallographic.sites import Site
from phase2.data.crystals.formats.parsing import check_atoms
from phase2.data.crystals.symmetry import space_group

_CRYSTAL_SYSTEM = ("_space_group_crystal_system", "_symmetry_cell_setting")
_MAGNETIC_NAME = ("_space_group_magn_name_bns", "_space_group_magn_name_og", "_space_group_magn_name_uni")
# A site lies on at most this many operators of its point group (m-3m), and has the others' images.
_LARGEST_SITE_SYMMETRY = 48
_FIX = "Write the symmetry operators that belong to these sites, or correct what is wrong."


@dataclass(frozen=True, slots=True)
class Structure:
    """What a block says about its atoms.

    Attributes:
        block: The block.
        sites: Its sites.
        lattice: Lattice vectors as rows, (3, 3), angstrom.
        limits: Limits of reading.
    """

    block: Block
    sites: Sequence[Site]
    lattice: NDArray[np.float64]
    limits: ReadingLimits

    def expand(self, group: Group) -> UnitCell:
        """Return the atoms that a space group gives; raise a CoincidingSitesError where two sites are at one place."""
        self.check_images(len(group))
        return expand(self.sites, group, self.lattice)

    def check_images(self, operations: int) -> None:
        """Refuse a cell by the number of its atoms, before operations are applied to sites."""
        atoms = max(len(self.sites), len(self.sites) * operations // _LARGEST_SITE_SYMMETRY)
        check_atoms(self.block.crystal_id, atoms, self.limits)

    def contradictions(self, group: Group, cell: UnitCell) -> list[str]:
        """Return what the file says about its contents and a cell does not fulfil."""
        volume = abs(float(np.linalg.det(self.lattice)))
        return list(contradictions(self.block, self.sites, cell, volume, len(group)))


def unit_cell(structure: Structure) -> tuple[UnitCell, tuple[str, ...]]:
    """Find the atoms of the cell by the operators or, without them, by Hall symbol, H-M symbol or number.

    Returns:
        The atoms, and a remark where the space group is known by its number alone or not stated at all.

    Raises:
        InvalidCrystalError: Two statements contradict each other, or the symmetry is not known.
    """
    block = structure.block
    operators = read_operators(block, structure.limits)
    remarks: tuple[str, ...] = ()
    claims, unknown = read_claims(block)
    try:
        if operators is not None:
            structure.check_images(operators.listed)
            if not operators.group.fits(structure.lattice):
                raise block.error(f"its symmetry contradicts its cell, which {operators} do not keep.", _FIX)
            group, cell = operators.group, structure.expand(operators.group)
            for claim in claims:
                if not _agree(structure, claim, group, cell):
                    raise block.error(f"its symmetry contradicts itself: {operators}, and {claim}.", _FIX)
        elif claims:
            group, cell = _by_claims(structure, claims)
            remarks = tuple(_remarks_on_number(claims[0], group, unknown))
        else:
            group = _without_symmetry(block, unknown)
            cell = structure.expand(group)
            remarks = ("it says nothing of its symmetry: P 1 is taken",)
    except CoincidingSitesError as error:
        raise block.error(f"its sites contradict each other: {error}.", "Remove one, or write occupancies.") from error
    if found := structure.contradictions(group, cell):
        raise block.error(f"the file contradicts itself: {found[0]}.", _FIX)
    return cell, remarks


def _remarks_on_number(claim: Claim, group: Group, unknown: Sequence[str]) -> Iterator[str]:
    if claim.by_number and group.table_entry is not None:
        beside = f" ({unknown[0]}, which is not understood)" if unknown else ""
        yield f"its space group is known by the number alone: {claim}, read as {group.table_entry.xhm()}{beside}"


def _by_claims(structure: Structure, claims: Sequence[Claim]) -> tuple[Group, UnitCell]:
    """Return the group and the atoms by the most exact statement, which the others may not contradict."""
    block, first = structure.block, claims[0]
    fitting = [group for group in first.makes if group.fits(structure.lattice)]
    fitting = fitting or [group for group in first.allows if group.fits(structure.lattice)][:1]
    if not fitting:
        raise block.error(f"its symmetry contradicts its cell: {first}, which needs other lengths or angles.", _FIX)
    cells: list[tuple[Group, UnitCell]] = []
    coinciding: CoincidingSitesError | None = None
    for group in fitting:
        try:
            cells.append((group, structure.expand(group)))
        except CoincidingSitesError as error:
            coinciding = error
    if not cells and coinciding:
        raise coinciding
    for claim in claims[1:]:
        agreeing = [(group, cell) for group, cell in cells if _agree(structure, claim, group, cell)]
        if not agreeing:
            raise block.error(f"its symmetry contradicts itself: {first}, and {claim}.", _FIX)
        cells = agreeing
    if _are_one(structure, cells):
        return cells[0]
    return _by_contents(structure, first, cells)


def _by_contents(structure: Structure, claim: Claim, cells: list[tuple[Group, UnitCell]]) -> tuple[Group, UnitCell]:
    """Choose between settings by multiplicities, formula units and density."""
    possible = [(group, cell) for group, cell in cells if not structure.contradictions(group, cell)]
    if not possible:
        return cells[0]  # whose contradiction is reported
    if not _are_one(structure, possible):
        settings = " or ".join(group.table_entry.xhm() for group, _ in possible if group.table_entry)
        raise structure.block.error(
            f"its symmetry is not known: {claim}, which may be {settings}, and these give different crystals.",
            "Write the symmetry operators, or the symbol of the setting, as in 'P b n m' or 'F d -3 m:2'.",
        )
    return possible[0]


def _are_one(structure: Structure, cells: list[tuple[Group, UnitCell]]) -> bool:
    return all(cell.equals(cells[0][1], structure.lattice) for _, cell in cells[1:])


def _agree(structure: Structure, claim: Claim, group: Group, cell: UnitCell) -> bool:
    """Tell whether a statement is fulfilled by a group, or means the same crystal.

    A file may list all atoms of its cell with the operator x,y,z alone and still name the space group of the crystal.
    """
    if claim.holds_for(group):
        return True
    applicable = [made for made in claim.makes if made.fits(structure.lattice)]
    excluded = 0
    for made in applicable:
        try:
            other = structure.expand(made)
        except CoincidingSitesError:
            excluded += 1
            continue
        if other.equals(cell, structure.lattice):
            return True
        excluded += bool(structure.contradictions(made, other))
    entry = group.table_entry
    if not claim.exact and applicable and entry is not None and entry.number == claim.number:
        # The same group with other axes, as pymatgen may write it: the contents decide which of them it is.
        return excluded == len(applicable) and not structure.contradictions(group, cell)
    if claim.exact or (applicable and group.table_entry is not None):
        return False
    # The cell is not the one of the symbol, such as a primitive cell: compare the symmetry of the crystal itself.
    check_atoms(structure.block.crystal_id, len(cell.symbols), structure.limits)
    numbers = np.array([ATOMIC_NUMBERS[symbol] for symbol in cell.symbols])
    return claim.number == space_group(structure.lattice, numbers, cell.positions @ structure.lattice)


def _without_symmetry(block: Block, unknown: Sequence[str]) -> Group:
    """Return P 1 where nothing says otherwise."""
    says = [*unknown, *(f"{name} is '{text}'" for name, text in block.stated(*_MAGNETIC_NAME))]
    says += [f"{name} is '{text}'" for name, text in block.stated(*_CRYSTAL_SYSTEM) if text.lower() != "triclinic"]
    if says:
        raise block.error(
            f"its symmetry is not known: {says[0]}, and there are no symmetry operators.", "Write the operators."
        )
    return group_of("P 1")
