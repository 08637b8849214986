"""Structures as they are given to a model: one, many, or a folder of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.ase import AtomsLike
from phase2.data.crystals.listing import list_structures
from phase2.prediction.reading.inputs import is_pymatgen

if TYPE_CHECKING:
    from phase2.prediction.reading.inputs import StructureLike


def listed(structures: StructureLike | Iterable[StructureLike]) -> list[StructureLike]:
    """Return structures as a list; a folder stands for its structure files.

    Raises:
        DataError: A folder cannot be read or holds no structure.
    """
    if isinstance(structures, str | os.PathLike) and Path(structures).is_dir():
        return list(list_structures(Path(structures)).structures)
    if _is_structure(structures) or not isinstance(structures, Iterable):
        return [structures]
    return list(structures)


def _is_structure(item: object) -> bool:
    """Tell whether something is one structure rather than many: those of pymatgen and ASE can be iterated over."""
    known = isinstance(item, str | os.PathLike | Crystal | AtomsLike)
    return known or is_pymatgen(item) or hasattr(item, "cart_coords")
