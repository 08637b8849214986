"""Which files of a folder or of a bucket are structures, and which were left out and why: one rule for all commands."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from phase2.data.crystals.formats.recognition import HEAD, is_other_json
from phase2.data.crystals.readers import NAMING_RULE, OTHER_NAME, is_structure_file
from phase2.errors import DataError
from phase2.output.wording import counted

OTHER_JSON = "JSON without a structure"
OF_RUN = "in the folder of a run"
NOT_REGULAR = "no regular file"
LEADS_NOWHERE = "a link that leads nowhere"
NO_ROW = "in no row of the table"
ODD_KEY = "a key that cannot be the path of a file"

RUN_FILE = "run_config.json"
"""File that every folder of a run has: what is in such a folder describes crystals, and holds none to read."""

_NAMED = 10


@dataclass(frozen=True, slots=True)
class LeftOut:
    """File that was not taken.

    Attributes:
        name: Its path within the folder, or its key.
        why: The reason, in a few words.
    """

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """Files below a folder.

    Attributes:
        folder: The folder.
        structures: Structure files, sorted.
        left_out: All other files.
        links: Whether a link to a folder, or out of this one, was followed.
    """

    folder: Path
    structures: tuple[Path, ...]
    left_out: tuple[LeftOut, ...]
    links: bool = False

    def without(self, names: Iterable[Path]) -> FolderFiles:
        """Return the listing without files that are read as something else, such as a table."""
        known = {_relative(path, self.folder) for path in names}
        return replace(self, left_out=tuple(one for one in self.left_out if one.name not in known))


def list_files(folder: Path) -> FolderFiles:
    """List the files below a folder.

    Links that somebody put into the folder are followed, to files and to folders. A folder is entered once, whichever
    ways lead to it: first under its own path, so that links cannot make a listing endless or change a name.

    Raises:
        DataError: The folder, or one below it, cannot be read.
    """
    structures: list[Path] = []
    left_out: list[LeftOut] = []
    linked = False
    try:
        whole = folder.resolve()
        for path, by_link, in_run in _walk(folder):
            why = OF_RUN if in_run else _reason(path)
            if why:
                left_out.append(LeftOut(_relative(path, folder), why))
                continue
            structures.append(path)
            linked = linked or by_link or (path.is_symlink() and not path.resolve().is_relative_to(whole))
    except OSError as error:
        raise unreadable(folder, error) from error
    return FolderFiles(folder, tuple(sorted(structures)), tuple(sorted(left_out, key=lambda one: one.name)), linked)


def list_structures(folder: Path) -> FolderFiles:
    """List the structure files below a folder, of which there must be one.

    Raises:
        DataError: The folder does not exist, cannot be read, or holds no structure.
    """
    try:
        is_folder = folder.is_dir()
    except OSError as error:
        raise unreadable(folder, error) from error
    if not is_folder:
        raise DataError(f"{folder} is no folder.", fix="Give a folder of structures, or one structure with --cif.")
    found = list_files(folder)
    if not found.structures:
        why = " ".join([NAMING_RULE, *left_out_notes(found.left_out)])
        raise DataError(f"{folder} holds no structure.", why=why, fix="Check the path.")
    return found


def left_out_notes(left_out: Sequence[LeftOut]) -> list[str]:
    """Say which files were left out and why, one line for each reason; of many, the first ten and the number.

    Example:
        >>> left_out_notes([LeftOut("a.txt", OTHER_NAME), LeftOut("b.txt", OTHER_NAME)])
        ['2 files not taken (no structure by name): a.txt, b.txt']
    """
    reasons: dict[str, list[str]] = {}
    for one in left_out:
        reasons.setdefault(one.why, []).append(one.name)
    notes = []
    for why, names in reasons.items():
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        notes.append(f"{counted(len(names), 'file')} not taken ({why}): {', '.join(names[:_NAMED])}{more}")
    return notes


def unreadable(path: Path, error: OSError) -> DataError:
    """Make the error of a path that cannot be read."""
    return DataError(f"{path} cannot be read.", why=f"{error.strerror}.", fix="Check its permissions.")


def _walk(folder: Path) -> Iterator[tuple[Path, bool, bool]]:
    """Yield all files, whether the way to them leads through a link, and whether they are in the folder of a run.

    Linked folders are entered last.
    """
    seen: set[tuple[int, int]] = set()
    folders: list[Path] = [folder]
    links: list[Path] = []
    by_link = False
    while folders or links:
        by_link = by_link or not folders
        here = folders.pop() if folders else links.pop(0)
        status = here.stat()
        if (key := (status.st_dev, status.st_ino)) in seen:
            continue
        seen.add(key)
        with os.scandir(here) as found:
            entries = sorted(found, key=lambda one: one.name)
            in_run = any(entry.name == RUN_FILE for entry in entries)
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif _is_folder(entry):
                    links.append(Path(entry.path))
                else:
                    yield Path(entry.path), by_link, in_run


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _reason(path: Path) -> str:
    if not is_structure_file(path):
        return OTHER_NAME
    try:
        if path.is_file():
            return OTHER_JSON if _is_other_json(path) else ""
    except OSError:
        return LEADS_NOWHERE
    return LEADS_NOWHERE if path.is_symlink() and not path.exists() else NOT_REGULAR


def _is_other_json(path: Path) -> bool:
    """Tell settings, results and the like from structures; a file that cannot be read is no such thing."""
    if path.suffix.lower() != ".json" or path.stat().st_size > HEAD:
        return False
    try:
        return is_other_json(path.read_text("latin-1"))
    except OSError:
        return False


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
