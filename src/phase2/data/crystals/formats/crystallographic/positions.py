"""Positions of atom sites: fractional ones, or Cartesian ones in the axes that a CIF states."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import gemmi
import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.formats.crystallographic.block import Block, is_missing, unquoted
from phase2.data.crystals.shown import shown

_DECIMALS = re.compile(r"\.(\d*)(?:\((\d+)\))?")
_FRACTION = re.compile(r"([+-]?\d{1,4})/(\d{1,4})", re.ASCII)
_FEWEST_DECIMALS = 2
"""Positions with fewer are taken as exact, such as 0.5: one unit of their last digit would be half an angstrom."""
_FINEST = 1e-4
_METRIC_TOLERANCE = 0.01

# Matrix and vector by rows and columns, of the dictionaries mmCIF and core.
_TO_FRACTIONAL = (
    ("_atom_sites_fract_transf_matrix[{0}][{1}]", "_atom_sites_fract_transf_vector[{0}]"),
    ("_atom_sites_fract_tran_matrix_{0}{1}", "_atom_sites_fract_tran_vector_{0}"),
)
_TO_CARTESIAN = (
    ("_atom_sites_cartn_transf_matrix[{0}][{1}]", "_atom_sites_cartn_transf_vector[{0}]"),
    ("_atom_sites_cartn_tran_matrix_{0}{1}", "_atom_sites_cartn_tran_vector_{0}"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """Cartesian axes of a cell: fractional = matrix @ Cartesian + origin.

    Attributes:
        matrix: (3, 3), per angstrom.
        origin: (3,).
        assumed: Whether the file leaves them to the convention of mmCIF.
    """

    matrix: NDArray[np.float64]
    origin: NDArray[np.float64]
    assumed: bool = False


class Positions:
    """Positions of the sites of a block, read one by one.

    Args:
        block: The block.
        lattice: Lattice vectors as rows, (3, 3), angstrom.

    Raises:
        InvalidCrystalError: A column is missing, or Cartesian positions have axes that are unknown or of another cell.

    Attributes:
        axes: Axes of Cartesian positions; None for fractional ones.
    """

    def __init__(self, block: Block, lattice: NDArray[np.float64]) -> None:
        self._block = block
        name = "_atom_site_fract_" if block.column("_atom_site_fract_x") else "_atom_site_cartn_"
        self._names = [f"{name}{axis}" for axis in "xyz"]
        self._columns = [_column(block, one, self._names[0]) for one in self._names]
        self.axes = _axes(block, lattice) if name.endswith("cartn_") else None

    def read(self, k: int, label: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the fractional position of a site, (3,), and one unit of the last digit of each component, (3,).

        Args:
            k: Number of the site, from 0.
            label: Its label, for the message.

        Raises:
            InvalidCrystalError: It has none.
        """
        written = [column[k] for column in self._columns]
        values = [_number(text) for text in written]
        for name, text, value in zip(self._names, written, values, strict=True):
            if not math.isfinite(value):
                missing = "no position" if is_missing(text) else f"{shown(unquoted(text))}, which is no number,"
                raise self._block.error(f"site {shown(label)} has {missing} in {self._block.names[name]}.")
        position, rounding = np.array(values), np.array([_rounding(text) for text in written])
        if self.axes is None:
            return position, rounding
        spread = np.abs(self.axes.matrix) @ rounding
        return self.axes.matrix @ position + self.axes.origin, np.maximum(spread, _FINEST)


def _column(block: Block, name: str, first: str) -> Sequence[str]:
    values = block.column(name)
    if values is None or len(values) != block.site_count:
        found = 0 if values is None else len(values)
        raise block.error(f"it has {block.site_count} values of {first} and {found} of {name}.")
    return values


def _number(text: str) -> float:
    """Return the number of a position, which may be a fraction such as 1/3; NaN for none."""
    if fraction := _FRACTION.fullmatch(unquoted(text)):
        return int(fraction[1]) / int(fraction[2]) if int(fraction[2]) else math.nan
    return gemmi.cif.as_number(text)


def _rounding(text: str) -> float:
    """Return one unit of the last digit of a number, or its standard uncertainty where that is larger."""
    match = _DECIMALS.search(text)
    if match is None or len(match[1]) < _FEWEST_DECIMALS or "e" in text.lower():
        return _FINEST
    unit = 10.0 ** -len(match[1])
    return float(min(max(_FINEST, unit * 1.05, unit * int(match[2] or 0)), 10.0**-_FEWEST_DECIMALS * 1.05))


def _axes(block: Block, lattice: NDArray[np.float64]) -> Axes:
    """Return the axes that the file states; those of mmCIF where such a file states none.

    Raises:
        InvalidCrystalError: They are not known, or of another cell.
    """
    stated = next((found for names in _TO_FRACTIONAL if (found := _stated(block, *names))), None)
    if stated is None and (inverse := next((f for names in _TO_CARTESIAN if (f := _stated(block, *names))), None)):
        matrix = np.asarray(np.linalg.inv(inverse[0]) if np.linalg.det(inverse[0]) else inverse[0], dtype=np.float64)
        stated = matrix, -matrix @ inverse[1]
    if stated is not None:
        metric = lattice @ lattice.T
        lengths = np.sqrt(np.diag(metric))
        kept = stated[0] @ stated[0].T @ metric  # the inverse of the metric, times the metric
        if (np.abs((kept - np.eye(3)) * lengths / lengths[:, None]) > _METRIC_TOLERANCE * 3).any():
            raise block.error("the matrix of its Cartesian axes (_atom_sites) is of another cell than its lengths.")
        return Axes(*stated)
    if not block.is_mmcif:
        raise block.error(
            "its positions are Cartesian (Cartn_x), and it does not say how their axes lie in the cell.",
            "Write fractional positions, or the matrix _atom_sites_fract_tran_matrix.",
        )
    return Axes(_protein_data_bank(lattice), np.zeros(3), assumed=True)


def _stated(block: Block, matrix: str, vector: str) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    rows = np.array([[_stated_number(block, matrix.format(i, j)) for j in (1, 2, 3)] for i in (1, 2, 3)])
    if np.isnan(rows).any():
        return None
    return rows, np.nan_to_num(np.array([_stated_number(block, vector.format(i)) for i in (1, 2, 3)]))


def _stated_number(block: Block, name: str) -> float:
    return next((gemmi.cif.as_number(text) for _, text in block.stated(name)), math.nan)


def _protein_data_bank(lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix to fractional positions of axes with a along x and b in the plane of x and y, (3, 3)."""
    lengths = np.linalg.norm(lattice, axis=1)
    cosines = (lattice @ lattice.T) / np.outer(lengths, lengths)
    angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    (a, b, c), (alpha, beta, gamma) = map(float, lengths), (float(angles[k]) for k in ((1, 2), (0, 2), (0, 1)))
    cell = gemmi.UnitCell(a, b, c, alpha, beta, gamma)
    return np.array(cell.frac.mat.tolist())
