"""Finding the structure file that a row of a table names."""

from __future__ import annotations

import difflib
import os
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from phase2.data.crystals.listing import FolderFiles
from phase2.data.crystals.readers import STRUCTURE_SUFFIXES


@dataclass(frozen=True, slots=True)
class FoundFile:
    """Structure file of a row.

    Attributes:
        path: The file; None where there is none.
        defect: Why there is none, "" where there is one.
        read_anew: Whether version 0.1.0 did not find it.
    """

    path: Path | None
    defect: str = ""
    read_anew: bool = False


class FileNames:
    """Files of a folder by the names that a table may use for them.

    A name is a path within the folder, with or without its suffix. What a table says never leads out of the folder,
    while links that somebody put there are followed.

    Args:
        files: The files of the folder.
    """

    def __init__(self, files: FolderFiles) -> None:
        self.folder = files.folder
        self._files = files.structures

    def find(self, file: str, crystal_id: str) -> FoundFile:
        """Find the file of a row.

        Args:
            file: Its path within the folder, or "".
            crystal_id: Its name without suffix, where there is no path.
        """
        name = file or crystal_id
        if not name or "\0" in name:
            return FoundFile(None, "Its row has neither file nor id.")
        try:
            return self._find(name, by_file=bool(file))
        except OSError as error:  # a parent folder without permission, a name that is too long
            return FoundFile(None, f"{self.folder / name} cannot be read: {error.strerror}.")

    def _find(self, name: str, *, by_file: bool) -> FoundFile:
        inside = self._inside(name)
        if inside is None:
            return FoundFile(None, f"{self.folder / name} lies outside the folder {self.folder}.")
        stems = self._by_stem.get(_composed(inside), ())
        whole = self.folder / inside
        if whole.is_file() and (by_file or not stems):
            return FoundFile(whole)
        if len(stems) > 1:
            several = ", ".join(path.relative_to(self.folder).as_posix() for path in stems)
            return FoundFile(None, f"'{name}' may be {several}. Name one of them, with its suffix.", read_anew=True)
        if stems:
            return FoundFile(stems[0], read_anew=by_file)
        if spelt := self._by_name.get(_composed(inside.replace("\\", "/"))):
            return FoundFile(spelt, read_anew=True)
        return FoundFile(None, self._missing(name, whole))

    def _inside(self, name: str) -> str | None:
        """Return a path within the folder, in which no part leads up; None for one that leads out of it."""
        plain = Path(os.path.normpath(name))
        for folder in (self.folder.absolute(), self.folder.resolve()):
            if plain.is_absolute() and plain.is_relative_to(folder):
                plain = plain.relative_to(folder)
        return None if plain.is_absolute() or plain.parts[:1] == ("..",) else plain.as_posix()

    @cached_property
    def _by_stem(self) -> dict[str, tuple[Path, ...]]:
        found: dict[str, tuple[Path, ...]] = {}
        for path in self._files:
            stem = _composed(stem_of(path.relative_to(self.folder).as_posix()))
            found[stem] = (*found.get(stem, ()), path)
        return found

    @cached_property
    def _by_name(self) -> dict[str, Path]:
        return {_composed(path.relative_to(self.folder).as_posix()): path for path in self._files}

    @cached_property
    def _spellings(self) -> dict[str, str]:
        """The names of all files by what people mix up: case, folder and suffix."""
        names = [path.relative_to(self.folder).as_posix() for path in self._files]
        return {key: name for name in names for key in (PurePosixPath(stem_of(name)).name.casefold(), name.casefold())}

    def _missing(self, name: str, whole: Path) -> str:
        key = PurePosixPath(stem_of(name.replace("\\", "/"))).name.casefold()
        near = self._spellings.get(name.casefold()) or self._spellings.get(key)
        if near is None and len(self._files) < 2_000:  # beyond that the comparison takes longer than reading
            close = difflib.get_close_matches(name, list(self._spellings.values()), n=1, cutoff=0.8)
            near = close[0] if close else None
        hint = f" There is {near}." if near else ""
        return f"There is no file {whole}" + ("." if whole.suffix else f" with {', '.join(STRUCTURE_SUFFIXES)}.") + hint


def stem_of(file: str) -> str:
    """Return the name of a crystal: the path of its file without the suffix of structures."""
    path = Path(file)
    return (path.with_suffix("") if path.suffix.lower() in STRUCTURE_SUFFIXES else path).as_posix() if file else ""


def _composed(name: str) -> str:
    """Return a name with composed characters, as macOS and Linux write them differently."""
    return unicodedata.normalize("NFC", name)
