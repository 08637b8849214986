"""Structure files by their names: the format follows from the suffix.

To add a format, write a module in ``formats`` with a reader of one file, and list it in ``_FORMATS``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.cif import read_cif
from phase2.data.crystals.formats.jarvis import read_jarvis
from phase2.data.crystals.formats.poscar import read_poscar
from phase2.errors import DataError


class _Format(NamedTuple):
    """Reader of a format, and the file names that mean it.

    Attributes:
        read: Function of the file's path, of the crystal's name, None for the name of the file, and of the limits.
        suffixes: Suffixes of the file names, in lower case.
        prefixes: Beginnings of file names that may have any suffix, in capitals.
    """

    read: Callable[[Path, str | None, ReadingLimits], Crystal]
    suffixes: tuple[str, ...]
    prefixes: tuple[str, ...] = ()

    def matches(self, path: Path) -> bool:
        return path.suffix.lower() in self.suffixes or path.name.upper().startswith(self.prefixes)


_FORMATS = (
    _Format(read_cif, (".cif",)),
    _Format(read_poscar, (".vasp", ".poscar"), ("POSCAR", "CONTCAR")),
    _Format(read_jarvis, (".json",)),
)

STRUCTURE_SUFFIXES: tuple[str, ...] = tuple(suffix for one in _FORMATS for suffix in one.suffixes)

NAMING_RULE = f"Structures end in {', '.join(STRUCTURE_SUFFIXES)} or are called POSCAR or CONTCAR."
"""Sentence for error messages that states which files are structures."""


def read_structure(
    path: Path,
    id: str | None = None,  # noqa: A002 - the crystal's own field
    limits: ReadingLimits = DEFAULT_LIMITS,
) -> Crystal:
    """Read one structure, in the format that its file name means: CIF, POSCAR or the JSON of a JARVIS record.

    The limits hold before a parser sees the file. Those of time and memory hold in reader processes alone, which
    predictions and graph stores use: this function reads in the process that calls it.

    Args:
        path: ``*.cif``, ``*.vasp``, ``*.poscar``, ``POSCAR*``, ``CONTCAR*`` or ``*.json``.
        id: Name of the crystal; the name of the file by default.
        limits: Limits of reading.

    Raises:
        DataError: The file cannot be read, or its name has no known format.
        LimitExceededError: It exceeds a limit.
        InvalidCrystalError: It holds no, several, or no valid ordered crystal; the message names file and site.
    """
    for one in _FORMATS:
        if one.matches(path):
            return one.read(path, id, limits)
    raise DataError(f"{path} has no known structure format.", why=NAMING_RULE, fix="Rename or convert it.")


def is_structure_file(path: Path) -> bool:
    """Tell by its name whether a file holds a structure."""
    return any(one.matches(path) for one in _FORMATS)


def load_parsers() -> None:
    """Import what reading and packing need of pymatgen, ahead of the first file, whose time is limited."""
    import pymatgen.io.cif
    import pymatgen.io.vasp.inputs
    import pymatgen.optimization.neighbors  # noqa: F401
