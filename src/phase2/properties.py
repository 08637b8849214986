"""The nine properties that every model can be trained for, and what a property is.

To add one, append it to ``PROPERTIES`` and its range to ``_BELIEVED``: labels, losses, heads, metrics and tables
follow. A run may define properties of its own as well, which its configuration holds: see
``config/data/own_properties.py``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from phase2.errors import RequestError, UnknownNameError

Transform = Literal["none", "log1p", "asinh", "logit"]
Task = Literal["regression", "binary"]
Per = Literal["none", "atom", "cell", "volume"]
Group = Literal["core", "all"]

KEY = "[a-z][a-z0-9_]{0,39}"
"""Regular expression of keys."""

MOST_PROPERTIES = 64
"""Most properties that a run has, the nine among them."""


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
        task: ``binary`` for labels that are true or false, which are predicted as probabilities.
        per: What a value is counted per. One per ``cell`` is divided by the number of atoms before it is learned, one
            per ``volume`` is multiplied by the volume per atom; ``none`` and ``atom`` are learned as they are.
        lower: Smallest possible value; None for no bound.
        upper: Largest possible value; None for no bound.
        times_volume: Whether the value times the volume per atom is learned, though it is not counted per volume: the
            baseline predicts the median of the values, and not that of the products divided by the volume.
    """

    key: str
    column: str
    title: str
    unit: str
    transform: Transform
    group: Group
    non_negative: bool
    task: Task = "regression"
    per: Per = "none"
    lower: float | None = None
    upper: float | None = None
    times_volume: bool = False

    @property
    def learned_as(self) -> str:
        """What decides what the output of a head means: equal for properties whose heads mean the same."""
        bounds = (self.lower, self.upper) if self.transform == "logit" else ()
        product = " times volume" if self.times_volume else ""
        return f"{self.unit} {self.transform} {self.task} {self.per} {bounds}{product}"

    @property
    def heading(self) -> str:
        """Column heading with the unit, such as ``band_gap [eV]``."""
        return f"{self.key} [{self.unit}]" if self.unit else self.key

    @property
    def predicted_unit(self) -> str:
        """Unit of predictions, which are probabilities for a binary property."""
        return "probability" if self.task == "binary" else self.unit

    @property
    def predicted_heading(self) -> str:
        """Column heading of predictions."""
        return f"{self.key} [{self.predicted_unit}]" if self.predicted_unit else self.key


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

_BELIEVED: Mapping[str, tuple[float, float]] = MappingProxyType({
    "formation_energy": (-10, 10),
    "band_gap": (0, 30),
    "bulk_modulus": (0, 1_000),
    "shear_modulus": (0, 1_000),
    "band_gap_mbj": (0, 30),
    "dielectric": (0, 10_000),
    "piezoelectric": (0, 1_000),
    "spillage": (0, 20),
    "ehull": (-0.5, 20),
})  # fmt: skip
"""Wider than what the Materials Project and JARVIS-DFT have, but for calculations that failed."""

Density = Literal["bulk_modulus", "shear_modulus", "dielectric", "piezoelectric"]
"""Properties of the nine that are something per volume: an energy, a polarisability or a dipole moment."""

MODULI = ("bulk_modulus", "shear_modulus")

KEYS: tuple[str, ...] = tuple(p.key for p in PROPERTIES)
CORE: tuple[str, ...] = tuple(p.key for p in PROPERTIES if p.group == "core")


def believed_range(prop: Property) -> tuple[float, float]:
    """Return the smallest and the largest value of a property that is believed without a remark.

    Those of a property that a run defines are its bounds; infinite where it has none.
    """
    if prop.key in KEYS:
        return _BELIEVED[prop.key]
    lower = 0.0 if prop.lower is None and prop.non_negative else prop.lower
    return -math.inf if lower is None else lower, math.inf if prop.upper is None else prop.upper


def times_volume(prop: Property) -> Property:
    """Return a property of which the value times the volume per atom is learned.

    That of moduli is learned without a logarithm, which is worse for it, and better for a dielectric constant
    (decision 077).
    """
    return replace(prop, times_volume=True, transform="none" if prop.key in MODULI else prop.transform)


def get_property(key: str, own: Sequence[Property] = ()) -> Property:
    """Return the property with a key.

    Args:
        key: The key.
        own: Properties that a run defines, besides the nine.

    Raises:
        UnknownNameError: No property has this key.
    """
    known = {p.key: p for p in (*PROPERTIES, *own)}
    try:
        return known[key]
    except KeyError:
        unknown = UnknownNameError.of("property", key, known)
        fix = f"{unknown.fix} A property of your own is defined by --property KEY:UNIT:COLUMN."
        raise UnknownNameError(unknown.what, why=unknown.why, fix=fix) from None


def error_unit(key: str, own_units: Mapping[str, str]) -> str:
    """Return the unit of a property's errors; ``own_units`` has those of the properties that a run defines."""
    known = next((p.unit for p in PROPERTIES if p.key == key), None)
    return own_units.get(key, "") if known is None else known


def select_properties(
    keys: Sequence[str] | None = None, *, everything: bool = False, own: Sequence[Property] = ()
) -> tuple[Property, ...]:
    """Select properties, in the order of ``PROPERTIES`` and then of ``own``, whatever the order of ``keys``.

    Args:
        keys: Keys of the properties to select; None for the core ones of ``own``, or for the core four without any.
        everything: Select all nine, and all of ``own``.
        own: Properties that a run defines, besides the nine.

    Raises:
        UnknownNameError: A key is unknown.
        RequestError: The list is empty or names a property twice.
    """
    known = (*PROPERTIES, *own)
    if everything:
        return known
    requested = (tuple(p.key for p in own if p.group == "core") or CORE) if keys is None else tuple(keys)
    if not requested:
        raise RequestError(
            "No property was requested.", fix=f"Name at least one of: {', '.join(p.key for p in known)}."
        )
    selected = {get_property(key, own).key for key in requested}
    if len(selected) != len(requested):
        raise RequestError(f"A property is named twice in '{','.join(requested)}'.", fix="Name each property once.")
    return tuple(p for p in known if p.key in selected)
