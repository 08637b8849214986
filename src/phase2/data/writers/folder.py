"""Writers of data sets that are a folder: a file for each structure, and a CSV of labels."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from phase2.data.crystals.crystal import Crystal
from phase2.data.sources.base import LabelledCrystal
from phase2.data.writers.records import labels_of
from phase2.output.csv_text import Cell, write_csv
from phase2.properties import Property

_DIGITS = 16
_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]")
_LONGEST_NAME = 100


def write_cif_folder(path: Path, crystals: Iterator[LabelledCrystal], properties: Sequence[Property]) -> None:
    """Write a CIF for each crystal, and ``targets.csv``."""
    _write_folder(path, crystals, properties, ".cif", _cif)


def write_poscar_folder(path: Path, crystals: Iterator[LabelledCrystal], properties: Sequence[Property]) -> None:
    """Write a POSCAR for each crystal, and ``targets.csv``."""
    _write_folder(path, crystals, properties, ".vasp", _poscar)


def _write_folder(
    path: Path,
    crystals: Iterator[LabelledCrystal],
    properties: Sequence[Property],
    suffix: str,
    text: Callable[[Crystal], str],
) -> None:
    path.mkdir()
    rows = _write_structures(path, crystals, properties, suffix, text)
    headings: list[Cell] = ["file", "id", *(prop.heading for prop in properties)]
    with (path / "targets.csv").open("w", newline="", encoding="utf-8") as file:
        write_csv(file, chain([headings], rows), end="\r\n")


def _write_structures(
    path: Path,
    crystals: Iterator[LabelledCrystal],
    properties: Sequence[Property],
    suffix: str,
    text: Callable[[Crystal], str],
) -> Iterator[list[Cell]]:
    """Write the files, and yield the row of each for the CSV."""
    used: set[str] = set()
    for number, one in enumerate(crystals):
        name = f"{_file_name(one.crystal.id, number, used)}{suffix}"
        (path / name).write_text(text(one.crystal), encoding="utf-8")
        labels = labels_of(one, properties)
        yield [name, one.crystal.id, *(labels.get(p.key) for p in properties)]


def _file_name(crystal_id: str, number: int, used: set[str]) -> str:
    """Return a name that every file system takes, and that no other crystal has."""
    plain = _UNSAFE.sub("_", crystal_id)[:_LONGEST_NAME].lstrip(".") or "crystal"
    name = plain
    while name.lower() in used:
        name = f"{plain}-{number}"
        number += 1
    used.add(name.lower())
    return name


def _cif(crystal: Crystal) -> str:
    from pymatgen.io.cif import CifWriter

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="No Pauling electronegativity")  # by which it sorts elements
        return str(CifWriter(_right_handed(crystal).to_pymatgen(), significant_figures=_DIGITS))


def _poscar(crystal: Crystal) -> str:
    from pymatgen.io.vasp.inputs import Poscar

    comment = " ".join(crystal.id.split())
    return str(Poscar(_right_handed(crystal).to_pymatgen(), comment=comment).get_str(significant_figures=_DIGITS))


def _right_handed(crystal: Crystal) -> Crystal:
    """Return the same crystal in a right-handed cell: lengths and angles, and VASP, know no other.

    All vectors are reversed, and with them all fractions, so that no atom moves.
    """
    if np.linalg.det(crystal.lattice) > 0:
        return crystal
    return Crystal.checked(crystal.id, crystal.species, -crystal.frac, -crystal.lattice, crystal.remarks)
