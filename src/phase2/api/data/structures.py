"""Structures as they are given to a model: one, many, a folder or a data set of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.ase import AtomsLike
from phase2.data.crystals.listing import list_structures
from phase2.data.sources.base import LabelledCrystal
from phase2.errors import RequestError
from phase2.prediction.reading.inputs import is_pymatgen, is_pymatgen_json

if TYPE_CHECKING:
    from phase2.prediction.reading.inputs import StructureLike

    Structures: TypeAlias = StructureLike | LabelledCrystal | Iterable[StructureLike | LabelledCrystal]
    """One structure or many; a :class:`phase2.Dataset` is many."""


def listed(structures: Structures) -> list[StructureLike]:
    """Return structures as a list; a folder stands for its structure files, a row of a data set for its crystal.

    Raises:
        RequestError: It is a mapping that is no structure.
        DataError: A folder cannot be read or holds no structure.
    """
    if isinstance(structures, str | os.PathLike) and Path(structures).is_dir():
        return list(list_structures(Path(structures)).structures)
    if isinstance(structures, Mapping) and not is_pymatgen_json(structures):
        raise RequestError(
            "A mapping is no list of structures.",
            why="The one mapping that is a structure is as_dict() of pymatgen's Structure, with 'lattice' and 'sites'.",
            fix="Give a structure, or a list of them: list(structures.values()), say.",
        )
    if _is_structure(structures) or not isinstance(structures, Iterable):
        return [_unlabelled(structures)]
    return [_unlabelled(structure) for structure in structures]


def _unlabelled(structure: StructureLike | LabelledCrystal) -> StructureLike:
    return structure.crystal if isinstance(structure, LabelledCrystal) else structure


def _is_structure(item: object) -> bool:
    """Tell whether something is one structure rather than many: those of pymatgen and ASE can be iterated over."""
    known = isinstance(item, str | os.PathLike | Crystal | AtomsLike | Mapping)
    return known or is_pymatgen(item) or hasattr(item, "cart_coords")
