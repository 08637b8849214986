"""Write the element properties behind the features of baselines, src/phase2/data/crystals/element_properties.csv.

From pymatgen, except for the covalent radii: B. Cordero et al., Dalton Trans. 2832 (2008), doi:10.1039/b801115j, as ASE
tabulates them.
"""

from __future__ import annotations

import csv
import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path

from ase.data import covalent_radii
from pymatgen.core import Element

TABLE = Path(__file__).parents[2] / "src/phase2/data/crystals/element_properties.csv"
CAPACITY = {"s": 2, "p": 6, "d": 10, "f": 14}
NUMBERS: dict[str, Callable[[Element], object]] = {
    "number": lambda e: e.Z,
    "mass": lambda e: e.data.get("Atomic mass"),
    "group": lambda e: e.group,
    "period": lambda e: e.row,
    "mendeleev": lambda e: e.data.get("Mendeleev no"),
    "electronegativity": lambda e: e.X,
    "covalent_radius": lambda e: covalent_radii[e.Z] if e.Z <= 96 else None,
    "atomic_radius": lambda e: e.data.get("Atomic radius calculated") or e.data.get("Atomic radius"),
    "van_der_waals_radius": lambda e: e.data.get("Van der waals radius"),
    "ionic_radius": lambda e: _mean(e.data.get("Ionic radii")),
    "molar_volume": lambda e: e.data.get("Molar volume"),
    "ionization_energy": lambda e: _entry(e.data.get("Ionization energies"), 0),
    "second_ionization_energy": lambda e: _entry(e.data.get("Ionization energies"), 1),
    "electron_affinity": lambda e: e.data.get("Electron affinity"),
    "highest_orbital": lambda e: max((e.data.get("Atomic orbitals") or {"": math.nan}).values()),
    "lowest_oxidation_state": lambda e: min(e.data.get("Common oxidation states") or [0]),
    "highest_oxidation_state": lambda e: max(e.data.get("Common oxidation states") or [0]),
    "melting_point": lambda e: e.data.get("Melting point"),
    "solid_density": lambda e: e.data.get("Density of solid"),
    "bulk_modulus": lambda e: e.data.get("Bulk modulus"),
    "rigidity_modulus": lambda e: e.data.get("Rigidity modulus"),
}


def write_table(path: Path) -> None:
    """Write one line per element, 1 to 118; what is not known stays empty."""
    electrons = [f"{name}_{kind}" for name in ("valence", "holes") for kind in CAPACITY]
    with path.open("w", newline="", encoding="utf-8") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymatgen warns of every unknown value
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["symbol", *NUMBERS, *electrons])
        for element in map(Element.from_Z, range(1, 119)):
            numbers = [_text(read(element)) for read in NUMBERS.values()]
            writer.writerow([element.symbol, *numbers, *_electrons(element)])


def _electrons(element: Element) -> list[str]:
    """Return the electrons outside the noble gas core and the holes of open shells, by angular momentum."""
    if "Electronic structure" not in element.data:
        return [""] * 2 * len(CAPACITY)
    shells = re.findall(r"\d([spdf])(\d+)", element.electronic_structure)
    filled = {kind: sum(int(count) for one, count in shells if one == kind) for kind in CAPACITY}
    holes = [CAPACITY[kind] - filled[kind] if filled[kind] else 0 for kind in CAPACITY]
    return [*map(str, filled.values()), *map(str, holes)]


def _mean(values: dict[str, float] | None) -> float | None:
    return sum(values.values()) / len(values) if values else None


def _entry(values: list[float | None] | None, k: int) -> float | None:
    return values[k] if values and len(values) > k else None


def _text(value: object) -> str:
    try:
        number = float(str(value))
    except ValueError:
        return ""
    return "" if math.isnan(number) else f"{number:.5g}"


if __name__ == "__main__":
    write_table(TABLE)
