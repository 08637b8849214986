"""Write the table of element properties that models start from, src/phase2/models/element_table.csv, from pymatgen."""

from __future__ import annotations

import csv
import math
import re
import warnings
from pathlib import Path

from pymatgen.core import Element

TABLE = Path(__file__).parents[2] / "src/phase2/models/element_table.csv"
COLUMNS = [
    "symbol",
    "group",
    "period",
    "valence_s",
    "valence_p",
    "valence_d",
    "valence_f",
    "electronegativity",
    "radius_angstrom",
    "molar_volume_cm3",
    "ionization_energy_ev",
    "electron_affinity_ev",
    "mendeleev_number",
]


def main() -> None:
    """Write one line per element, 1 to 118; what pymatgen does not know stays empty."""
    warnings.simplefilter("ignore")  # pymatgen warns of every unknown value
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_row(Element.from_Z(z)) for z in range(1, 119))


def _row(element: Element) -> list[str]:
    numbers = (
        element.X,
        element.atomic_radius,
        element.molar_volume,
        element.ionization_energy,
        element.data.get("Electron affinity"),
        element.mendeleev_no,
    )
    return [element.symbol, str(element.group), str(element.row), *_valence(element), *map(_text, numbers)]


def _valence(element: Element) -> list[str]:
    """Return the electrons outside the noble gas core, by angular momentum."""
    if "Electronic structure" not in element.data:
        return [""] * 4
    shells = re.findall(r"\d([spdf])(\d+)", element.electronic_structure)
    return [str(sum(int(count) for kind, count in shells if kind == wanted)) for wanted in "spdf"]


def _text(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{float(value):.4g}"


if __name__ == "__main__":
    main()
