"""Elemental reference crystals, whose formation energy is zero by definition: ``docs/data/elements.md``.

Structures and bulk moduli are those of the Delta test (Lejaeghere et al., Crit. Rev. Solid State Mater. Sci. 39, 1,
2014, doi:10.1080/10408436.2013.772503), calculated with PBE as the sample is, and read from ASE when they are used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.elements import SYMBOLS
from phase2.data.crystals.symmetry import space_group
from phase2.data.sources.base import LabelledCrystal, RawRecord
from phase2.properties import PROPERTIES, Property

if TYPE_CHECKING:
    from ase import Atoms

_NO_GROUND_STATE = frozenset({"Mn", "S", "Hg"})
"""Elements whose structure there is a simple one, with an energy above that of the ground state."""

_FIRST_CUBIC = 195


def elements_file() -> Path:
    """Return the file of ASE that holds the crystals."""
    import ase.collections

    return Path(ase.collections.__file__).with_name("dcdft.json")


class _Reference(NamedTuple):
    """One crystal as plain numbers, which go to another process quickly."""

    species: tuple[int, ...]
    frac: list[list[float]]
    lattice: list[list[float]]
    bulk_modulus: float


class ElementsSource:
    """68 elements in their ground states.

    Args:
        properties: The properties whose labels are read; it has none of those that a run defines.
    """

    name = "elements"
    isolated = False

    def __init__(self, properties: Sequence[Property] = PROPERTIES) -> None:
        self.properties = tuple(properties)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the records, hexadecimal."""
        content = [[raw.id, raw.content] for raw in self.records()]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def records(self) -> Iterator[RawRecord]:
        """Yield every crystal as plain numbers."""
        from ase.collections import dcdft

        for symbol in dcdft.names:
            if symbol not in _NO_GROUND_STATE:
                atoms = cast("Atoms", dcdft[symbol])
                yield RawRecord(
                    symbol,
                    _Reference(
                        tuple(SYMBOLS.index(one) + 1 for one in atoms.get_chemical_symbols()),
                        atoms.get_scaled_positions().tolist(),
                        atoms.cell.array.tolist(),
                        float(dcdft.data[symbol]["wien2k_B"]),
                    ),
                )

    def parse(self, raw: RawRecord) -> LabelledCrystal:
        """Turn one record into a crystal and its labels."""
        found = cast("_Reference", raw.content)
        species, lattice = np.array(found.species), np.array(found.lattice)
        labels = {"formation_energy": 0.0, "ehull": 0.0}
        # Of a cubic crystal the modulus of the equation of state is the Voigt average, of others it is lower.
        if space_group(lattice, species, np.array(found.frac) @ lattice) >= _FIRST_CUBIC:
            labels["bulk_modulus"] = found.bulk_modulus
        crystal = Crystal.checked(raw.id, species, found.frac, lattice)
        return LabelledCrystal(crystal, np.array([labels.get(p.key, np.nan) for p in self.properties]))
