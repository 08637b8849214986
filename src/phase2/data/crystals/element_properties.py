"""Tabulated properties of the elements: radii, energies, electrons and the like."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

ELEMENTS = 118


@dataclass(frozen=True, slots=True, eq=False)
class ElementProperties:
    """Tabulated properties by atomic number.

    Attributes:
        names: Names of the columns.
        values: Shape (119, number of columns), float64; row 0 is no element. Unknown values are the mean of the known.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]

    def column(self, name: str) -> NDArray[np.float64]:
        """Return one property by atomic number, (119,) float64."""
        return self.values[:, self.names.index(name)]


@cache
def element_properties() -> ElementProperties:
    """Read the table that ``tools/datasets/element_properties.py`` writes; all callers share it, read-only.

    Radii in angstrom, volumes in cm3/mol, ionisation energies and electron affinity in eV, the highest occupied orbital
    in hartree, melting point in K, density in kg/m3, moduli in GPa; ``valence_*`` are electrons outside the noble gas
    core and ``holes_*`` the places left in their open shells.
    """
    text = files("phase2.data.crystals").joinpath("element_properties.csv").read_text("utf-8")
    head, *rows = csv.reader(text.splitlines())
    known = np.array([[float(cell or "nan") for cell in row[1:]] for row in rows])
    values = np.zeros((ELEMENTS + 1, known.shape[1]))
    values[1:] = np.where(np.isnan(known), np.nanmean(known, axis=0), known)
    values.flags.writeable = False
    return ElementProperties(tuple(head[1:]), values)
