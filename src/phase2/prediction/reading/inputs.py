"""Structures as Python programs pass them, and their conversion to crystals."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.ase import AtomsLike, from_ase
from phase2.data.crystals.formats.parsing import check_atoms
from phase2.data.crystals.formats.pymatgen import from_pymatgen
from phase2.data.crystals.formats.pymatgen_json import from_pymatgen_json
from phase2.data.crystals.readers import read_structure
from phase2.errors import InvalidCrystalError
from phase2.prediction.reading.file_records import FileRecord
from phase2.prediction.table import readable_name

if TYPE_CHECKING:
    from pymatgen.core import Structure

    StructureLike: TypeAlias = (
        Crystal | Structure | Mapping[str, object] | AtomsLike | FileRecord | str | os.PathLike[str]
    )
    """A :class:`Crystal`, a pymatgen ``Structure`` or its ``as_dict()``, an ASE ``Atoms``, a record or the path of a
    structure file."""


def name_of(structure: StructureLike, index: int) -> str:
    """Return the name of a structure in a table: its file, its id, or its position in the list."""
    if isinstance(structure, Crystal):
        return structure.id
    if isinstance(structure, FileRecord):
        return structure.raw.id
    if isinstance(structure, str | os.PathLike):
        return readable_name(Path(structure))
    return f"structures[{index}]"


def crystal_of(structure: StructureLike, name: str, limits: ReadingLimits = DEFAULT_LIMITS) -> Crystal:
    """Read or convert one structure.

    Args:
        structure: Structure of any supported type.
        name: Its name in messages.
        limits: Limits of reading.

    Raises:
        DataError: Its file cannot be read.
        LimitExceededError: It exceeds a limit.
        InvalidCrystalError: It is no valid ordered crystal, or of another type.
    """
    if isinstance(structure, FileRecord):
        return structure.crystal()
    if isinstance(structure, str | os.PathLike):
        return read_structure(Path(structure), limits=limits)
    if is_pymatgen_json(structure):
        return from_pymatgen_json(structure, name, limits)
    crystal = _converted(structure, name)
    check_atoms(name, crystal.n_atoms, limits)
    return crystal


def _converted(structure: object, name: str) -> Crystal:
    if isinstance(structure, Crystal):
        return structure
    if is_pymatgen(structure):
        return from_pymatgen(structure, name)
    if isinstance(structure, AtomsLike):
        return from_ase(structure, name)
    raise InvalidCrystalError.of(
        name,
        f"it is {_kind(structure)}, which is no structure.",
        "Give a path, a phase2 Crystal, a pymatgen Structure or an ASE Atoms.",
    )


def is_pymatgen_json(structure: object) -> TypeGuard[Mapping[str, object]]:
    """Tell whether an object is what ``Structure.as_dict`` of pymatgen gives."""
    return isinstance(structure, Mapping) and {"lattice", "sites"} <= structure.keys()


def is_pymatgen(structure: object) -> TypeGuard[Structure]:
    """Tell whether an object is a pymatgen structure, without importing pymatgen."""
    return all(hasattr(structure, name) for name in ("lattice", "frac_coords", "species_and_occu"))


def _kind(structure: object) -> str:
    name = type(structure).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
