"""Forms of a structure within a record, and texts of one structure, with their conversions.

To add one, write its conversion in a module of this package, and list it in ``SCHEMAS`` or ``TEXTS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple, cast

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.ase_json import from_ase_json
from phase2.data.crystals.formats.cif import parse_cif
from phase2.data.crystals.formats.extxyz import parse_extxyz
from phase2.data.crystals.formats.jarvis import from_jarvis
from phase2.data.crystals.formats.optimade import from_optimade
from phase2.data.crystals.formats.parsing import parse_text
from phase2.data.crystals.formats.pymatgen_json import from_pymatgen_json
from phase2.data.crystals.formats.vasp.poscar import parse_poscar
from phase2.data.crystals.formats.vasp.xdatcar import parse_xdatcar


class Schema(NamedTuple):
    """Form of a structure within a record.

    Attributes:
        title: Whose form it is.
        required: Keys that tell it.
        optional: Further keys that its conversion reads; all others are dropped.
        convert: Conversion of such a mapping, with the crystal's name and the limits.
        unread: Keys that belong to it and that nothing reads.
    """

    title: str
    required: frozenset[str]
    optional: tuple[str, ...]
    convert: Callable[[Mapping[str, object], str, ReadingLimits], Crystal]
    unread: tuple[str, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """All keys that belong to it."""
        return self.required.union(self.optional, self.unread)


SCHEMAS: dict[str, Schema] = {
    "jarvis": Schema(
        "JARVIS",
        frozenset({"lattice_mat"}),
        ("coords", "elements", "cartesian"),
        from_jarvis,
        ("abc", "angles", "props"),
    ),
    "pymatgen": Schema("pymatgen", frozenset({"lattice", "sites"}), (), from_pymatgen_json, ("charge", "properties")),
    "optimade": Schema(
        "OPTIMADE",
        frozenset({"lattice_vectors", "cartesian_site_positions", "species_at_sites"}),
        ("species", "dimension_types", "nperiodic_dimensions", "nsites", "structure_features", "assemblies"),
        from_optimade,
    ),
    "ase": Schema("ASE", frozenset({"numbers", "positions"}), ("cell", "pbc"), from_ase_json),
}

TEXTS: dict[str, Callable[[str, str, ReadingLimits], Crystal]] = {
    "cif": parse_cif,
    "poscar": parse_poscar,
    "extxyz": parse_extxyz,
    "xdatcar": parse_xdatcar,
}
"""Parsers of the text of one structure, functions of the text, the crystal's name and the limits.

Libraries do the work: in a process of their own where files are not trusted.
"""


class FoundStructure(NamedTuple):
    """Structure of a record, reduced to what its conversion reads.

    Attributes:
        schema: Key in ``SCHEMAS`` or ``TEXTS``.
        content: The structure: a mapping, or a text.
        remarks: What its record says of it.
    """

    schema: str
    content: object
    remarks: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether a library has to parse it."""
        return self.schema in TEXTS

    def to_crystal(self, subject: str, crystal_id: str, limits: ReadingLimits = DEFAULT_LIMITS) -> Crystal:
        """Convert the structure.

        Args:
            subject: Its file or record, for messages.
            crystal_id: Name of the crystal.
            limits: Limits of reading.

        Raises:
            InvalidCrystalError: It is no valid ordered crystal, or exceeds a limit.
        """
        if self.is_text:
            crystal = parse_text(str(self.content), subject, crystal_id, TEXTS[self.schema], limits)
        else:
            crystal = SCHEMAS[self.schema].convert(cast("Mapping[str, object]", self.content), crystal_id, limits)
        return replace(crystal, remarks=(*crystal.remarks, *self.remarks)) if self.remarks else crystal
