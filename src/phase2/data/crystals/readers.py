"""Files of structures: the streams of records that they hold, and the crystals of those that hold one.

Their formats are listed in ``files/registry.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path, PurePosixPath

from phase2.config.extras import refuse_missing
from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.files.archive import is_archive, open_members
from phase2.data.crystals.files.compressed import bare_name
from phase2.data.crystals.files.content import Content, Record, open_content
from phase2.data.crystals.files.json_cursor import Unreadable
from phase2.data.crystals.files.registry import (
    FORMATS,
    NAMING_RULE,
    STRUCTURE_SUFFIXES,
    Format,
    named_format,
    recognised_format,
)
from phase2.data.crystals.formats.records import convert_record, record_id
from phase2.data.crystals.shown import cut, shown
from phase2.errors import DataError, InvalidCrystalError, LimitExceededError

__all__ = [
    "FORMATS", "NAMING_RULE", "STRUCTURE_SUFFIXES", "format_of", "is_structure_file", "is_structure_name",
    "load_parsers", "may_hold_many", "read_records", "read_structure", "refuse_missing_parsers",
]  # fmt: skip

_TABLES = frozenset({".csv", ".tsv"})
_NEVER = _TABLES | frozenset({".md", ".py", ".png", ".pdf", ".pt", ".npz", ".yaml", ".yml", ".xml", ".html"})
OTHER_NAME = "no structure by name"
LINK = "a link of an archive, which is not followed"

_LISTED = 10
_LOGGER = logging.getLogger(__name__)


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
        yield from _archived(path, limits)
        return
    if Path(bare_name(path.name)).suffix in _TABLES:
        raise DataError(
            f"{path} is a table, and no structure file.",
            why="Its rows may name or hold structures.",
            fix=f"Give it as --data {path}" + ("." if path.suffix.lower() in _TABLES else ", unpacked."),
        )
    if not path.exists() and named_format(path.name) is None:
        raise DataError(f"{path} has no known structure format.", why=NAMING_RULE, fix="Check the path.")
    with open_content(path, limits) as content:
        found = named_format(path.name) or recognised_format(content)
        if found is None:
            raise DataError(f"{path} has no known structure format.", why=NAMING_RULE, fix="Rename or convert it.")
        yield from found.read(content, limits)


def archive_left_out(path: Path, limits: ReadingLimits = DEFAULT_LIMITS) -> dict[str, list[str]]:
    """Return the files of an archive that are not read, by the reason.

    Raises:
        DataError: The archive cannot be read.
    """
    links: list[str] = []
    others = [
        member for member, content in open_members(path, limits, links) if _member_format(member, content) is None
    ]
    return {OTHER_NAME: others, LINK: links}


def _archived(path: Path, limits: ReadingLimits) -> Iterator[Record]:
    others: list[str] = []
    links: list[str] = []
    for member, content in open_members(path, limits, links):
        if (found := _member_format(member, content)) is None:
            others.append(member)
        else:
            yield from with_file_name(member, _member_records(found, content, limits))
    for names, why in ((others, OTHER_NAME), (links, LINK)):
        if names:
            more = ", ..." if len(names) > _LISTED else ""
            listed = ", ".join(cut(name, 80) for name in names[:_LISTED])
            _LOGGER.warning("%s: %d files not taken (%s): %s%s", path, len(names), why, listed, more)


def _member_format(member: str, content: Content) -> Format | None:
    never = PurePosixPath(bare_name(member)).suffix in _NEVER
    return named_format(member) or (None if never else recognised_format(content))


def _member_records(found: Format, content: Content, limits: ReadingLimits) -> Iterator[Record]:
    """Yield the records of a member; one that cannot be read costs itself, and not the archive."""
    try:
        yield from found.read(content, limits)
    except LimitExceededError:
        raise
    except DataError as error:
        yield "the rest", Unreadable(str(error))


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


def format_of(path: Path) -> Format | None:
    """Return the format of a file, by its name or its first characters; None for an archive and for anything else."""
    found = named_format(path.name)
    if found is not None or is_archive(path.name) or Path(bare_name(path.name)).suffix in _NEVER or not path.is_file():
        return found
    try:
        with open_content(path, DEFAULT_LIMITS) as content:
            return recognised_format(content)
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


def refuse_missing_parsers() -> None:
    """Refuse to read files where what :func:`load_parsers` imports in another process is not installed.

    Raises:
        MissingExtraError: The extra ``train`` is not installed.
    """
    refuse_missing("gemmi", "pymatgen")


def load_parsers() -> None:
    """Import what reading and packing need of pymatgen, ahead of the first file, whose time is limited."""
    import gemmi  # noqa: F401
    import pymatgen.optimization.neighbors  # noqa: F401


def _name(record: Record, position: int) -> str:
    key, content = record
    own = record_id(content) if isinstance(content, Mapping) else None
    return own or key or str(position)
