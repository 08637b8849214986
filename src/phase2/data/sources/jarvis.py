"""JARVIS-DFT dft_3d, release of 2022-12-12 (Choudhary et al., npj Comput. Mater. 6, 173, 2020)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.config.settings import cache_dir
from phase2.data.sources.base import LabelledCrystal, RawRecord
from phase2.data.sources.download import RemoteFile, fetch
from phase2.data.sources.file_source import FileSource
from phase2.properties import PROPERTIES, Property
from phase2.storage.progress import ProgressCallback

# doi 10.6084/m9.figshare.6815699.v11; MD5 fb3e1eb80339a70ff313af1c644c1777
DFT_3D = RemoteFile(
    url="https://ndownloader.figshare.com/files/38521619",
    file_name="jdft_3d-12-12-2022.json.zip",
    size=40_811_489,
    sha256="d4c64660e9e1fa45c82bd8868a96ec10162195eed69636445972c05550d8d0d6",
)
DFT_3D_MEMBER = "jdft_3d-12-12-2022.json"


class JarvisSource:
    """Source of 75,993 crystals with DFT properties, downloaded when their records are first read.

    Args:
        cache: Cache folder; the user's by default.
        remote: The archive.
        progress: Callback receiving the bytes received and their number.
        limits: Limits of reading.
        properties: The properties whose labels are read.
    """

    name = "jarvis-dft3d"
    isolated = False

    def __init__(
        self,
        cache: Path | None = None,
        *,
        remote: RemoteFile = DFT_3D,
        progress: ProgressCallback | None = None,
        limits: ReadingLimits = DEFAULT_LIMITS,
        properties: Sequence[Property] = PROPERTIES,
    ) -> None:
        self._folder = download_folder(cache or cache_dir())
        self._remote = remote
        self._progress = progress
        self._limits = limits
        self.properties = tuple(properties)

    @property
    def path(self) -> Path:
        """Path of the archive, downloaded or not."""
        return self._folder / self._remote.file_name

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the archive, hexadecimal: known before the download."""
        return self._remote.sha256

    def fetch(self) -> Path:
        """Download the archive, unless it is downloaded already.

        Raises:
            TransientError: The server cannot be reached.
            DataError: The server does not have the file, or has a different one.
        """
        return fetch(self._remote, self._folder, progress=self._progress)

    def records(self) -> Iterator[RawRecord]:
        """Yield the records, read from the archive without unpacking it.

        Raises:
            TransientError: The archive cannot be downloaded now.
            DataError: It is not the expected file.
        """
        yield from self._file(self.fetch()).records()

    def rows(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        """See :class:`phase2.data.sources.columns.HasColumns`."""
        return self._file(self.fetch()).rows()

    def parse(self, raw: RawRecord) -> LabelledCrystal:
        """Turn one record into a crystal and its labels.

        Raises:
            InvalidCrystalError: It is no valid crystal, or a label is no number.
        """
        return self._file(self.path).parse(raw)

    def read_targets(self, raw: RawRecord) -> NDArray[np.float64]:
        """See :class:`phase2.data.store.relabelled.ReadsLabels`."""
        return self._file(self.path).read_targets(raw)

    def __getstate__(self) -> tuple[Path, RemoteFile, ReadingLimits, tuple[Property, ...]]:
        return (
            self._folder,
            self._remote,
            self._limits,
            self.properties,
        )  # a progress bar cannot be sent to the worker processes

    def __setstate__(self, state: tuple[Path, RemoteFile, ReadingLimits, tuple[Property, ...]]) -> None:
        self._folder, self._remote, self._limits, self.properties = state
        self._progress = None

    def _file(self, path: Path) -> FileSource:
        return FileSource(path, DFT_3D_MEMBER, self._limits, self.properties)


def download_folder(cache: Path) -> Path:
    """Return the folder of downloaded files within a cache folder."""
    return cache / "downloads"
