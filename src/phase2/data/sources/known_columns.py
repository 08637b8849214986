"""Columns of other data sets that hold the labels of our properties.

A label is read from the property's own column or key first; these names come after both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from phase2.data.sources.missing import is_missing
from phase2.properties import PROPERTIES, Property

ReadLabels: TypeAlias = Callable[[Mapping[str, object]], dict[str, object]]


class KnownColumn(NamedTuple):
    """Column of another data set.

    Attributes:
        key: Key of the property.
        column: Its name; a dot leads into an object: ``bulk_modulus.voigt``.
        origin: Who writes it.
        logarithm: Whether it holds the logarithm to the base 10 of the property.
    """

    key: str
    column: str
    origin: str
    logarithm: bool = False


KNOWN_COLUMNS = (
    KnownColumn("formation_energy", "formation_energy_per_atom", "Materials Project"),
    KnownColumn(
        "formation_energy", "_mp_stability.gga_gga+u.formation_energy_per_atom", "Materials Project (OPTIMADE)"
    ),
    KnownColumn("formation_energy", "_alexandria_formation_energy_per_atom", "Alexandria (OPTIMADE)"),
    KnownColumn("formation_energy", "_oqmd_delta_e", "OQMD (OPTIMADE)"),
    KnownColumn("band_gap", "gap pbe", "matbench_mp_gap"),
    KnownColumn("band_gap", "_mp_band_gap", "Materials Project (OPTIMADE)"),
    KnownColumn("band_gap", "_alexandria_band_gap", "Alexandria (OPTIMADE)"),
    KnownColumn("band_gap", "_oqmd_band_gap", "OQMD (OPTIMADE)"),
    KnownColumn("bulk_modulus", "bulk_modulus.voigt", "Materials Project"),
    KnownColumn("bulk_modulus", "bulk_modulus.vrh", "Materials Project"),
    KnownColumn("bulk_modulus", "K_Voigt", "matminer elastic_tensor_2015"),
    KnownColumn("bulk_modulus", "K_VRH", "matminer elastic_tensor_2015"),
    KnownColumn("bulk_modulus", "log10(K_VRH)", "matbench_log_kvrh", logarithm=True),
    KnownColumn("shear_modulus", "shear_modulus.voigt", "Materials Project"),
    KnownColumn("shear_modulus", "shear_modulus.vrh", "Materials Project"),
    KnownColumn("shear_modulus", "G_Voigt", "matminer elastic_tensor_2015"),
    KnownColumn("shear_modulus", "G_VRH", "matminer elastic_tensor_2015"),
    KnownColumn("shear_modulus", "log10(G_VRH)", "matbench_log_gvrh", logarithm=True),
    KnownColumn("ehull", "energy_above_hull", "Materials Project"),
    KnownColumn("ehull", "e_above_hull", "matminer, CDVAE"),
    KnownColumn("ehull", "_mp_stability.gga_gga+u.energy_above_hull", "Materials Project (OPTIMADE)"),
    KnownColumn("ehull", "_alexandria_hull_distance", "Alexandria (OPTIMADE)"),
    KnownColumn("ehull", "_oqmd_stability", "OQMD (OPTIMADE)"),
    *(KnownColumn(p.key, f"_jarvis_{p.column}", "JARVIS (OPTIMADE)") for p in PROPERTIES),
)
"""Columns whose unit is that of the property and whose meaning is the same, up to the method of computation.

Left out, since their meaning differs: ``e_form`` (per atom in matbench_mp_e_form, per cell in matbench_perovskites),
``e_total`` of the Materials Project (the mean of the dielectric tensor, not its largest value), ``energy`` (not of
formation).
"""

_INSIDE = frozenset({"attributes", "data", "key_value_pairs", "properties"})
"""Objects of a record that hold labels beside those of the record itself."""


def label_reader(properties: Sequence[Property]) -> ReadLabels:
    """Return a function of a record for its labels: what it gives for the column of each property that it has."""
    candidates = _candidates(properties)

    def read(record: Mapping[str, object]) -> dict[str, object]:
        found: dict[str, tuple[int, object]] = {}
        _collect(record, candidates, 0, found)
        for place in record.keys() & _INSIDE:
            if isinstance(inside := record[place], Mapping):
                _collect(inside, candidates, _LATER, found)
        return {column: value for column, (_, value) in found.items()}

    return read


def cells_of(record: Mapping[str, object]) -> dict[str, object]:
    """Return the texts, numbers and truth values of a record by their keys, with those beside its labels."""
    places = [record, *(one for place in record.keys() & _INSIDE if isinstance(one := record[place], Mapping))]
    cells = ((key, value) for place in reversed(places) for key, value in place.items())
    return {key: value for key, value in cells if not isinstance(value, Mapping | Sequence) or isinstance(value, str)}


_Candidates: TypeAlias = dict[str, list[tuple[int, str, KnownColumn]]]
"""By the key in a record: how early each label is preferred, the column of its property, and where it stands."""

_LATER = 1_000  # what stands within an object comes after what the record says itself
_LAST = 1_000_000  # an object that holds no known label, which is refused unless there is another


def _candidates(properties: Sequence[Property]) -> _Candidates:
    candidates: _Candidates = {}
    for prop in properties:
        for rank, known in enumerate(_names(prop)):
            for key in dict.fromkeys((known.column, known.column.partition(".")[0])):
                candidates.setdefault(key, []).append((rank, prop.column, known))
    return candidates


def _names(prop: Property) -> Iterator[KnownColumn]:
    for name in dict.fromkeys((prop.column, prop.key)):
        yield KnownColumn(prop.key, name, "phase2")
    yield from (known for known in KNOWN_COLUMNS if known.key == prop.key)


def _collect(
    record: Mapping[str, object], candidates: _Candidates, later: int, found: dict[str, tuple[int, object]]
) -> None:
    """Add the labels of a record to those found, each where it is preferred to the one that is there."""
    for key in record.keys() & candidates.keys():
        for rank, column, known in candidates[key]:
            value = record[key] if key == known.column else _inside(record, known.column.split("."))
            if value is None:
                continue
            place = later + rank + (_LAST if isinstance(value, Mapping) else 0)
            if column not in found or place < found[column][0]:
                found[column] = (place, _power(value) if known.logarithm else value)


def _inside(record: Mapping[str, object], path: Sequence[str]) -> object:
    value: object = record
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _power(value: object) -> object:
    """Return ten to the power of a number, also of one in a text; what is none, for its label to be refused."""
    number: object = value
    if isinstance(value, str) and not is_missing(value) and "_" not in value:
        with suppress(ValueError):
            number = float(value)
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        return value
    try:
        return 10.0 ** float(number) if math.isfinite(number) else math.nan
    except OverflowError:
        return math.nan
