"""Scale and lattice vectors of a POSCAR."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.formats.vasp.lines import Lines, as_number, vector
from phase2.data.crystals.shown import shown


def lattice_and_scale(lines: Lines) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read the scale and the lattice vectors.

    One positive scale multiplies all lengths; one negative is minus the volume of the cell; three, which are positive,
    multiply the components along x, y and z. All of them hold for Cartesian positions as well.

    Returns:
        The scaled lattice vectors as rows, (3, 3), angstrom, and the factors of the Cartesian components, (3,).

    Raises:
        InvalidCrystalError: A number is missing, or the scale has another form.
    """
    factors = _factors(lines)
    lattice = np.array([vector(lines, f"lattice vector {name}") for name in "abc"])
    if factors[0] < 0:
        volume = abs(float(np.linalg.det(lattice)))
        if volume == 0:
            raise lines.error("its cell has a volume of 0 cubic angstrom.")
        factors = np.cbrt(-factors / volume)
    scale = np.broadcast_to(factors, 3)
    return lattice * scale, scale


def _factors(lines: Lines) -> NDArray[np.float64]:
    lines.skip_blank()
    number, line = lines.number, lines.skip()
    factors = []
    for word in line.split():
        value = as_number(word)
        if value is None:  # a comment
            break
        factors.append(value)
    if len(factors) not in {1, 3}:
        raise lines.error(
            f"line {number} should be the scale, one number or three, and is {shown(line)}.",
            "Write 1.0, or minus the volume of the cell.",
        )
    if 0 in factors or (len(factors) > 1 and min(factors) < 0):
        raise lines.error(
            f"line {number} has the scale {shown(line)}: one is positive, or minus the volume; three are positive.",
            "Write 1.0, or minus the volume of the cell.",
        )
    return np.array(factors)
