"""Cell of a CIF: lattice vectors of lengths and angles."""

from __future__ import annotations

import math

import gemmi
import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.formats.crystallographic.block import Block, is_missing
from phase2.data.crystals.shown import shown

_LENGTHS = ("_cell_length_a", "_cell_length_b", "_cell_length_c")
_ANGLES = ("_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma")
_VOLUME_TOLERANCE = 0.03


def read_lattice(block: Block) -> NDArray[np.float64]:
    """Read the lattice vectors as rows, (3, 3), angstrom: c along z, a in the plane of x and z.

    Raises:
        InvalidCrystalError: A length or angle is missing or impossible, or the volume that is stated is another.
    """
    a, b, c = (_value(block, name, math.inf) for name in _LENGTHS)
    alpha, beta, gamma = (math.radians(_value(block, name, 180)) for name in _ANGLES)
    cos_gamma_star = (math.cos(alpha) * math.cos(beta) - math.cos(gamma)) / (math.sin(alpha) * math.sin(beta))
    if abs(cos_gamma_star) > 1:
        angles = ", ".join(f"{math.degrees(angle):g}" for angle in (alpha, beta, gamma))
        raise block.error(f"its angles ({angles}) are those of no cell.")
    gamma_star = math.acos(cos_gamma_star)
    lattice = np.array(
        [
            [a * math.sin(beta), 0.0, a * math.cos(beta)],
            [-b * math.sin(alpha) * cos_gamma_star, b * math.sin(alpha) * math.sin(gamma_star), b * math.cos(alpha)],
            [0.0, 0.0, c],
        ]
    )
    _check_volume(block, lattice)
    return lattice


def _value(block: Block, name: str, below: float) -> float:
    values = block.column(name)
    if not values or values[0] in {"?", ""}:
        raise block.error(f"it has no {name}.", "Write all lengths and angles of the cell.")
    if values[0] == "." and name in _ANGLES:
        return 90.0  # the default of the dictionary
    value = gemmi.cif.as_number(values[0])
    if not 0 < value < below:
        raise block.error(f"{block.names[name]} is {shown(values[0])}, expected a positive number.")
    return value


def _check_volume(block: Block, lattice: NDArray[np.float64]) -> None:
    values = block.column("_cell_volume")
    if not values or is_missing(values[0]):
        return
    stated, volume = gemmi.cif.as_number(values[0]), abs(float(np.linalg.det(lattice)))
    if stated > 0 and abs(stated / volume - 1) > _VOLUME_TOLERANCE:
        raise block.error(
            f"its cell contradicts itself: the lengths and angles give {volume:.6g} cubic angstrom, and "
            f"{block.names['_cell_volume']} says {stated:g}."
        )
