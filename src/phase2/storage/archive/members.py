"""Members of an archive: nothing compressed, nothing twice, every checksum right."""

from __future__ import annotations

import errno
import zipfile
import zlib
from typing import IO

from phase2.storage.archive.errors import ArchiveError

MAX_BYTES = 8 * 1024**3
"""Largest archive. The largest level's checkpoint has 20 MB; this leaves room for a network 400 times as large."""

MAX_MEMBERS = 20_000
MAX_PICKLE_BYTES = 32 * 1024**2

_MAGIC = b"PK\x03\x04"
_ENCRYPTED = 0x1
# What zipfile raises for damaged files besides its own error.
_DAMAGE = (zipfile.BadZipFile, zlib.error, ValueError, LookupError, EOFError, OverflowError, NotImplementedError)


def check_members(file: IO[bytes]) -> tuple[bytes, dict[str, int]]:
    """Check the members of an archive, and read its pickle.

    PyTorch neither compares checksums nor limits what it unpacks. It stores members as they are, so none can be larger
    than the archive: what is compressed, encrypted, there twice or larger in sum than the file was made by another
    program.

    Args:
        file: The archive, open for reading.

    Returns:
        The pickle, and the sizes of the storages of its tensors by name.

    Raises:
        ArchiveError: The archive is damaged, too large or of another form.
        OSError: The file cannot be read.
    """
    size = file.seek(0, 2)
    if size > MAX_BYTES:
        raise ArchiveError(f"it has {size:,} bytes, more than the {MAX_BYTES:,} that are read")
    file.seek(0)
    if file.read(len(_MAGIC)) != _MAGIC:
        raise ArchiveError("it is not in PyTorch's format, or its end is missing")
    try:
        with zipfile.ZipFile(file) as archive:
            _check_sizes(archive.infolist(), size)
            damaged = archive.testzip()
            if damaged is not None:
                raise ArchiveError(f"its part {damaged!r:.100} has a wrong checksum")
            return _contents(archive)
    except ArchiveError:
        raise
    except _DAMAGE as error:
        raise ArchiveError("it is not in PyTorch's format, or its end is missing") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # an offset from a damaged table of contents; other errors are the disk's
            raise
        raise ArchiveError("its table of contents is damaged") from error


def _check_sizes(members: list[zipfile.ZipInfo], size: int) -> None:
    if len(members) > MAX_MEMBERS:
        raise ArchiveError(f"it has {len(members):,} parts, more than {MAX_MEMBERS:,}")
    if len({member.filename for member in members}) != len(members):
        raise ArchiveError("one of its parts is there twice")
    if any(m.compress_type != zipfile.ZIP_STORED or m.compress_size != m.file_size for m in members):
        raise ArchiveError("a part is compressed, as none is that phase2 writes")
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise ArchiveError("a part is encrypted, as none is that phase2 writes")
    if sum(member.file_size for member in members) > size:
        raise ArchiveError("its parts are larger than the file")


def _contents(archive: zipfile.ZipFile) -> tuple[bytes, dict[str, int]]:
    sizes = {member.filename: member.file_size for member in archive.infolist()}
    pickles = [name for name in sizes if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise ArchiveError("it has no part 'data.pkl', or several")
    folder = pickles[0].removesuffix("data.pkl")
    if any(not name.startswith(folder) for name in sizes):
        raise ArchiveError("its parts are in several folders")
    if archive.read(f"{folder}byteorder") != b"little":
        raise ArchiveError("its byte order is not 'little'")
    if sizes[pickles[0]] > MAX_PICKLE_BYTES:
        raise ArchiveError(f"its part 'data.pkl' has more than {MAX_PICKLE_BYTES:,} bytes")
    prefix = f"{folder}data/"
    storages = {name.removeprefix(prefix): size for name, size in sizes.items() if name.startswith(prefix)}
    return archive.read(pickles[0]), storages
