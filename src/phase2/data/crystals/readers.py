"""Files of structures: their formats by name and content, and the streams of records that they hold.

To add a format, write a module in ``files`` with a reader of its records, and list it in ``FORMATS``; a new form of a
structure within a record is a schema of ``formats/records.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.files.archive import is_archive, open_members
from phase2.data.crystals.files.ase_database import read_ase_database
from phase2.data.crystals.files.compressed import bare_name
from phase2.data.crystals.files.content import Content, Record, open_content
from phase2.data.crystals.files.extxyz import read_extxyz
from phase2.data.crystals.files.json_cursor import Unreadable
from phase2.data.crystals.files.json_records import read_json
from phase2.data.crystals.files.parquet import read_parquet
from phase2.data.crystals.files.single import read_as
from phase2.data.crystals.formats.recognition import is_cif, is_extxyz, is_poscar, is_xdatcar
from phase2.data.crystals.formats.records import convert_record, record_id
from phase2.data.crystals.shown import shown
from phase2.errors import DataError, InvalidCrystalError, LimitExceededError


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


FORMATS: tuple[Format, ...] = (
    Format("CIF, mCIF", re.compile(r".+\.m?cif"), "*.cif, *.mcif", read_as("cif"), many=False, recognise=is_cif),
    Format(
        "XDATCAR (last frame)", re.compile(r"xdatcar.*|.+[._-]xdatcar"), "XDATCAR*, *_XDATCAR", read_as("xdatcar"),
        many=False, recognise=is_xdatcar,
    ),
    Format(
        "POSCAR, CONTCAR", re.compile(r"(poscar|contcar)(?!.*\.csv$).*|.+[._-](poscar|contcar)|.+\.vasp"),
        "POSCAR*, CONTCAR*, *_POSCAR, *.poscar, *.vasp", read_as("poscar"), many=False, recognise=is_poscar,
    ),
    Format("extended XYZ", re.compile(r".+\.extxyz"), "*.extxyz", read_extxyz, recognise=is_extxyz),
    Format("ASE database", re.compile(r".+\.db"), "*.db", read_ase_database, isolated=True),
    Format(
        "JSON: JARVIS, pymatgen, Materials Project, OPTIMADE, ASE, pandas", re.compile(r".+\.(json|jsonl|ndjson)"),
        "*.json, *.jsonl, *.ndjson", read_json,
    ),
    Format("Parquet", re.compile(r".+\.parquet"), "*.parquet", read_parquet, isolated=True),
)  # fmt: skip

STRUCTURE_SUFFIXES = (
    ".cif", ".mcif", ".vasp", ".poscar", ".contcar", ".extxyz", ".xyz", ".json", ".jsonl", ".ndjson", ".db", ".parquet",
)  # fmt: skip

_NEVER = frozenset({".csv", ".tsv", ".md", ".py", ".png", ".pdf", ".pt", ".npz", ".yaml", ".yml", ".xml", ".html"})

NAMING_RULE = (
    f"Structures are called {', '.join(one.names for one in FORMATS)}, also with .gz, .bz2 or .xz, or are in a .zip or "
    ".tar of them."
)
"""Sentence for error messages that states which files are structures."""


def read_structure(
    path: Path,
    id: str | None = None,  # noqa: A002 - the crystal's own field
    limits: ReadingLimits = DEFAULT_LIMITS,
) -> Crystal:
    """Read the only structure of a file, in the format that its name means or its content has.

    The limits hold before a parser sees the file. Those of time and memory hold in reader processes alone, which
    predictions and graph stores use: this function reads in the process that calls it.

    Args:
        path: A file of one of ``FORMATS``, also compressed.
        id: Name of the crystal; the name of the file by default.
        limits: Limits of reading.

    Raises:
        DataError: The file cannot be read, or has no known format.
        LimitExceededError: It exceeds a limit.
        InvalidCrystalError: It holds no, several, or no valid ordered crystal; the message names file and site.
    """
    with closing(read_records(path, limits)) as records:
        first = next(records, None)
        if first is None or next(records, None) is not None:
            count = "no structure" if first is None else "several structures"
            raise InvalidCrystalError(
                f"{path} holds {count}, expected one.",
                why="One structure is asked for.",
                fix="Name the file as --data, --cif or --dir to use them all.",
            )
    _, record = first
    if isinstance(record, Unreadable):
        kind = LimitExceededError if record.limit else InvalidCrystalError
        raise kind(f"{path} holds no valid crystal:", why=record.reason, fix="Correct it.")
    if not isinstance(record, Mapping):
        raise InvalidCrystalError.of(path.name, f"its JSON is {shown(record)}, not an object with a structure.")
    return convert_record(record, str(path), path.name if id is None else id, limits)


def read_records(path: Path, limits: ReadingLimits = DEFAULT_LIMITS) -> Generator[Record, None, None]:
    """Yield the records of a file: their names in it, None without one, and mappings or ``Unreadable``.

    Raises:
        DataError: The file cannot be read, or has no known format.
        LimitExceededError: It exceeds a limit as a whole.
    """
    if is_archive(path.name) and named_format(path.name) is None:
        for member, content in open_members(path, limits):
            found = named_format(member) or _recognised(content)
            if found is not None:
                yield from with_file_name(member, found.read(content, limits))
        return
    if not path.exists() and named_format(path.name) is None:
        raise DataError(f"{path} has no known structure format.", why=NAMING_RULE, fix="Check the path.")
    with open_content(path, limits) as content:
        found = named_format(path.name) or _recognised(content)
        if found is None:
            raise DataError(f"{path} has no known structure format.", why=NAMING_RULE, fix="Rename or convert it.")
        yield from found.read(content, limits)


def with_file_name(file: str, records: Iterator[Record]) -> Iterator[tuple[str, object]]:
    """Name records by their file: ``file`` if it holds one, else ``file#name``, by position where one has no name."""
    first = next(records, None)
    second = next(records, None)
    if first is None:
        return
    if second is None:
        yield file, first[1]
        return
    yield f"{file}#{_name(first, 0)}", first[1]
    yield f"{file}#{_name(second, 1)}", second[1]
    for position, record in enumerate(records, start=2):
        yield f"{file}#{_name(record, position)}", record[1]


def named_format(name: str | Path) -> Format | None:
    """Return the format that the name of a file means, None for a name that means none."""
    bare = bare_name(PurePosixPath(name).name)
    return next((one for one in FORMATS if one.pattern.fullmatch(bare)), None)


def format_of(path: Path) -> Format | None:
    """Return the format of a file, by its name or its first characters; None for an archive and for anything else."""
    found = named_format(path.name)
    if found is not None or is_archive(path.name) or path.suffix.lower() in _NEVER or not path.is_file():
        return found
    try:
        with open_content(path, DEFAULT_LIMITS) as content:
            return _recognised(content)
    except DataError:  # who reads it says why it cannot be
        return None


def is_structure_name(name: str) -> bool:
    """Tell by its name alone whether a file holds structures, or is an archive that may hold some."""
    return named_format(name) is not None or is_archive(name)


def is_structure_file(path: Path) -> bool:
    """Tell by its name or, where that says nothing, by its first characters whether a file holds structures."""
    return is_structure_name(path.name) or format_of(path) is not None


def may_hold_many(path: Path) -> bool:
    """Tell whether a file may hold several structures."""
    found = format_of(path)
    return is_archive(path.name) if found is None else found.many


def load_parsers() -> None:
    """Import what reading and packing need of pymatgen, ahead of the first file, whose time is limited."""
    import pymatgen.io.cif
    import pymatgen.io.vasp.inputs
    import pymatgen.optimization.neighbors  # noqa: F401


def _recognised(content: Content) -> Format | None:
    head = content.head()
    return next((one for one in FORMATS if one.recognise is not None and one.recognise(head)), None) if head else None


def _name(record: Record, position: int) -> str:
    key, content = record
    own = record_id(content) if isinstance(content, Mapping) else None
    return own or key or str(position)
