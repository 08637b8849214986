"""The nine properties that a model can be trained for.

To add one, append it to ``PROPERTIES``: labels, losses, heads, metrics and tables follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from phase2.errors import RequestError, UnknownNameError


@dataclass(frozen=True, slots=True)
class Property:
    """Property of a crystal.

    Attributes:
        key: Name used throughout phase2.
        column: Column in JARVIS-DFT records (Choudhary et al., npj Comput. Mater. 6, 173, 2020).
        title: Name for users.
        unit: Unit of labels and predictions; "" for a dimensionless number.
        transform: Function of the value that the network learns.
        group: ``core`` properties are the default; ``--all-properties`` adds the others.
        non_negative: Whether predictions are clipped at zero, because negative values have no meaning.
    """

    key: str
    column: str
    title: str
    unit: str
    transform: Literal["none", "log1p"]
    group: Literal["core", "all"]
    non_negative: bool

    @property
    def heading(self) -> str:
        """Column heading with the unit, such as ``band_gap [eV]``."""
        return f"{self.key} [{self.unit}]" if self.unit else self.key


PROPERTIES: tuple[Property, ...] = (
    Property(
        "formation_energy",
        "formation_energy_peratom",
        "Formation energy",
        "eV/atom",
        "none",
        "core",
        non_negative=False,
    ),
    Property("band_gap", "optb88vdw_bandgap", "Band gap", "eV", "none", "core", non_negative=True),
    Property("bulk_modulus", "bulk_modulus_kv", "Bulk modulus", "GPa", "log1p", "core", non_negative=True),
    Property("shear_modulus", "shear_modulus_gv", "Shear modulus", "GPa", "log1p", "core", non_negative=True),
    Property("band_gap_mbj", "mbj_bandgap", "Band gap (TB-mBJ)", "eV", "none", "all", non_negative=True),
    Property(
        "dielectric",
        "dfpt_piezo_max_dielectric",
        "Largest dielectric constant",
        "",
        "log1p",
        "all",
        non_negative=True,
    ),
    Property(
        "piezoelectric",
        "dfpt_piezo_max_eij",
        "Largest piezoelectric coefficient",
        "C/m2",
        "log1p",
        "all",
        non_negative=True,
    ),
    Property("spillage", "spillage", "Spin-orbit spillage", "", "none", "all", non_negative=True),
    Property("ehull", "ehull", "Energy above hull", "eV/atom", "none", "all", non_negative=True),
)

KEYS: tuple[str, ...] = tuple(p.key for p in PROPERTIES)
CORE: tuple[str, ...] = tuple(p.key for p in PROPERTIES if p.group == "core")

_BY_KEY = {p.key: p for p in PROPERTIES}


def get_property(key: str) -> Property:
    """Return the property with a key.

    Raises:
        UnknownNameError: No property has this key.
    """
    try:
        return _BY_KEY[key]
    except KeyError:
        raise UnknownNameError.of("property", key, KEYS) from None


def select_properties(keys: Sequence[str] | None = None, *, everything: bool = False) -> tuple[Property, ...]:
    """Select properties, in the order of ``PROPERTIES`` whatever the order of ``keys``.

    Args:
        keys: Keys of the properties to select; None for the core four.
        everything: Select all nine.

    Raises:
        UnknownNameError: A key is unknown.
        RequestError: The list is empty or names a property twice.
    """
    if everything:
        return PROPERTIES
    requested = CORE if keys is None else tuple(keys)
    if not requested:
        raise RequestError("No property was requested.", fix=f"Name at least one of: {', '.join(KEYS)}.")
    selected = {get_property(key).key for key in requested}
    if len(selected) != len(requested):
        raise RequestError(f"A property is named twice in '{','.join(requested)}'.", fix="Name each property once.")
    return tuple(p for p in PROPERTIES if p.key in selected)
