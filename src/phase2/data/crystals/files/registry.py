"""Formats of files that hold structures.

To add one, write a module beside this with a reader of its records, and list it in ``FORMATS``; a new form of a
structure within a record is a schema of ``formats/schemas.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.files.ase_database import read_ase_database
from phase2.data.crystals.files.compressed import bare_name
from phase2.data.crystals.files.content import Content, Record
from phase2.data.crystals.files.extxyz import read_extxyz
from phase2.data.crystals.files.json_records import read_json
from phase2.data.crystals.files.parquet import read_parquet
from phase2.data.crystals.files.single import read_as
from phase2.data.crystals.formats.recognition import is_cif, is_extxyz, is_json, is_poscar, is_xdatcar


class Format(NamedTuple):
    """Format of files that hold structures.

    Attributes:
        title: Its name for people.
        pattern: Names of its files, in lower case and without the suffix of a compression.
        names: The same names for people.
        read: Reader of the records of a file.
        many: Whether one file may hold several structures.
        isolated: Whether ``read`` hands the file to a library, whose time and memory are limited in a reader process.
        recognise: Function that tells it from the first characters, where the name says nothing.
    """

    title: str
    pattern: re.Pattern[str]
    names: str
    read: Callable[[Content, ReadingLimits], Iterator[Record]]
    many: bool = True
    isolated: bool = False
    recognise: Callable[[str], bool] | None = None


_OTHER = (
    r"(?!.*\.(?:csv|tsv|json|jsonl|ndjson|db|parquet|extxyz|zip|tar|tgz|tbz2|txz|md|py|png|pdf|pt|npz|ya?ml|xml|html)$)"
)
"""Of a name that begins as VASP's files do, and ends as another kind of file does: ``poscars.zip``."""

FORMATS: tuple[Format, ...] = (
    Format("CIF, mCIF", re.compile(r".+\.m?cif"), "*.cif, *.mcif", read_as("cif"), many=False, recognise=is_cif),
    Format(
        "XDATCAR (last frame)", re.compile(rf"xdatcar{_OTHER}.*|.+[._-]xdatcar"), "XDATCAR*, *_XDATCAR",
        read_as("xdatcar"), many=False, recognise=is_xdatcar,
    ),
    Format(
        "POSCAR, CONTCAR", re.compile(rf"(poscar|contcar){_OTHER}.*|.+[._-](poscar|contcar)|.+\.vasp"),
        "POSCAR*, CONTCAR*, *_POSCAR, *.poscar, *.vasp", read_as("poscar"), many=False, recognise=is_poscar,
    ),
    Format("extended XYZ", re.compile(r".+\.extxyz"), "*.extxyz", read_extxyz, recognise=is_extxyz),
    Format("ASE database", re.compile(r".+\.db"), "*.db", read_ase_database, isolated=True),
    Format(
        "JSON: JARVIS, pymatgen, Materials Project, OPTIMADE, ASE, pandas", re.compile(r".+\.(json|jsonl|ndjson)"),
        "*.json, *.jsonl, *.ndjson", read_json, recognise=is_json,
    ),
    Format("Parquet", re.compile(r".+\.parquet"), "*.parquet", read_parquet, isolated=True),
)  # fmt: skip

STRUCTURE_SUFFIXES = (
    ".cif", ".mcif", ".vasp", ".poscar", ".contcar", ".extxyz", ".xyz", ".json", ".jsonl", ".ndjson", ".db", ".parquet",
)  # fmt: skip

NAMING_RULE = (
    f"Structures are called {', '.join(one.names for one in FORMATS)}, also with .gz, .bz2 or .xz, or are in a .zip or "
    ".tar of them."
)
"""Sentence for error messages that states which files are structures."""


def named_format(name: str | Path) -> Format | None:
    """Return the format that the name of a file means, None for a name that means none."""
    bare = bare_name(PurePosixPath(name).name)
    one_line = bare.replace("\n", "_")  # a name may have a line break, which no pattern matches
    return next((one for one in FORMATS if one.pattern.fullmatch(one_line)), None)


def recognised_format(content: Content) -> Format | None:
    """Return the format that the first characters of a file tell, None where they tell none."""
    head = content.head()
    return next((one for one in FORMATS if one.recognise is not None and one.recognise(head)), None) if head else None
