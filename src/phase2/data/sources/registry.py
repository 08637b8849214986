"""Registry of data sets: by name or path.

To add a named data set, write a :class:`Source` and add it to ``open_source`` and ``known_sources``, and its size to
``config/data/sets.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from phase2.config.data.addresses import is_on_server
from phase2.config.data.sets import CRYSTALS
from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.readers import NAMING_RULE, is_structure_file
from phase2.data.sources.base import LabelledCrystal, RawRecord, Source
from phase2.data.sources.elements import ElementsSource, elements_file
from phase2.data.sources.file_source import FileSource
from phase2.data.sources.folder import FolderSource
from phase2.data.sources.jarvis import DFT_3D, JarvisSource, download_folder
from phase2.data.sources.optimade import OptimadeSource
from phase2.data.sources.sample import SAMPLE_FILE, SampleSource
from phase2.data.sources.tables.source import TABLE_SUFFIXES, TableSource
from phase2.errors import DataError, UnknownNameError
from phase2.properties import PROPERTIES, Property
from phase2.storage.disk.home import expand_home
from phase2.storage.progress import ProgressCallback

__all__ = [
    "NAMES", "KnownSource", "LabelledCrystal", "RawRecord", "Source", "fetch_source", "known_sources", "open_source",
]  # fmt: skip

NAMES: tuple[str, ...] = tuple(CRYSTALS)


@dataclass(frozen=True, slots=True)
class KnownSource:
    """Data set that can be requested by name.

    Attributes:
        name: Its name.
        summary: One line for users.
        size: Bytes to download, 0 if it is part of the package.
    """

    name: str
    summary: str
    size: int

    def state(self, cache: Path) -> str:
        """Return ``included``, ``downloaded`` or ``not downloaded (41 MB)``."""
        if not self.size:
            return "included"
        downloaded = (download_folder(cache) / DFT_3D.file_name).exists()
        return "downloaded" if downloaded else f"not downloaded ({self.size / 1e6:.0f} MB)"


def known_sources() -> tuple[KnownSource, ...]:
    """Return the data sets that can be requested by name."""
    return (
        KnownSource(
            "sample",
            f"{CRYSTALS['sample']:,} crystals of the Materials Project, seven of the nine properties; few are "
            "elements, whose formation energies a model trained on it misses",
            0,
        ),
        KnownSource("elements", f"{CRYSTALS['elements']} elements in their ground states, to judge models on", 0),
        KnownSource(
            "jarvis-dft3d", f"{CRYSTALS['jarvis-dft3d']:,} crystals of JARVIS-DFT, all nine properties", DFT_3D.size
        ),
    )


def open_source(
    name_or_path: str, limits: ReadingLimits = DEFAULT_LIMITS, properties: Sequence[Property] = PROPERTIES
) -> Source:
    """Open a data set; nothing is read or downloaded yet.

    Args:
        name_or_path: ``sample``, ``elements``, ``jarvis-dft3d``, a file of structures in a format of
            ``crystals/files/registry.py`` (also compressed, or an archive), ``optimade:URL``, or a folder of structure
            files with a CSV of targets.
        limits: Limits of reading.
        properties: The properties whose labels are read: ``PROPERTIES``, and those that a run defines.

    Raises:
        UnknownNameError: There is no data set of this name.
        DataError: The file does not exist or is no data set.
    """
    if name_or_path == "sample":
        return SampleSource(properties)
    if name_or_path == "elements":
        return ElementsSource(properties)
    if name_or_path == "jarvis-dft3d":
        return JarvisSource(limits=limits, properties=properties)
    if is_on_server(name_or_path):
        return OptimadeSource(name_or_path, limits=limits, properties=properties)
    path = expand_home(name_or_path)
    try:
        exists, folder, regular = path.exists(), path.is_dir(), path.is_file()
    except OSError as error:
        raise DataError(f"{path} cannot be read.", why=f"{error.strerror}.", fix="Check its permissions.") from error
    if not name_or_path or not exists:
        raise _not_found(name_or_path)
    if folder:
        return FolderSource(path, limits, properties)
    return _open_file(path, limits, properties, regular=regular)


def fetch_source(name: str, cache: Path, *, progress: ProgressCallback | None = None) -> Path:
    """Download a data set, unless it is downloaded already.

    Args:
        name: Name of the data set.
        cache: Cache folder.
        progress: Callback receiving the bytes received and their number.

    Raises:
        UnknownNameError: There is no data set of this name.
        TransientError: The server cannot be reached.
        DataError: The server does not have the file, or has a different one.
    """
    if name == "sample":
        return SAMPLE_FILE
    if name == "elements":
        return elements_file()
    if name == "jarvis-dft3d":
        return JarvisSource(cache, progress=progress).fetch()
    if is_on_server(name):
        return OptimadeSource(name, cache, progress=progress).fetch()
    raise UnknownNameError.of("data set", name, NAMES)


def _open_file(path: Path, limits: ReadingLimits, properties: Sequence[Property], *, regular: bool) -> Source:
    if not regular:
        raise DataError(f"{path} is no regular file.", why="Pipes and devices are not read.", fix="Copy its content.")
    if path.suffix.lower() in TABLE_SUFFIXES:
        return TableSource(path, limits, properties)
    if is_structure_file(path):
        return FileSource(path, limits=limits, properties=properties)
    raise DataError(
        f"{path} is no data set.",
        why=f"A data set is a file of structures, or a folder of them with a CSV. {NAMING_RULE}",
        fix="Convert it, or give another file or a folder.",
    )


def _not_found(name_or_path: str) -> Exception:
    looks_like_a_path = any(c in name_or_path for c in "/\\.~")
    if not looks_like_a_path:
        return UnknownNameError.of("data set", name_or_path, NAMES)
    return DataError(
        f"There is no file or folder {name_or_path}.",
        why="A data set is a name or a path.",
        fix=f"Check the path, or use one of the names: {', '.join(NAMES)}.",
    )
