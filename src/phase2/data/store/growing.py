"""Files that grow while a graph store is built, and that a later process can continue from a committed size."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from phase2.data.graphs.packed import Column
from phase2.errors import DataError

_BLOCK = 1 << 22  # bytes read at a time


class Extent(NamedTuple):
    """How much of a file is committed: its content's length in bytes, and their CRC-32."""

    size: int
    checksum: int


class GrowingFile:
    """File that content is appended to.

    Args:
        path: The file.
        committed: What to keep of a file that is there; None for a new one.

    Raises:
        DataError: The file does not begin with what was committed.
    """

    def __init__(self, path: Path, committed: Extent | None = None) -> None:
        self._path = path
        self._size, self._checksum = Extent(0, 0) if committed is None else committed
        try:
            self._file: IO[bytes] = path.open("w+b" if committed is None else "r+b")
        except FileNotFoundError as error:
            raise DataError(f"'{path}' cannot be continued.", why="It is not there.") from error
        self._start = 0  # of the content
        if committed is not None:
            self._continue()

    def append(self, content: bytes) -> None:
        """Append bytes."""
        self._file.write(content)
        self._size += len(content)
        self._checksum = zlib.crc32(content, self._checksum)

    def commit(self) -> Extent:
        """Hand everything to the system, which keeps it when this process is killed; return how much it is."""
        self._file.flush()
        return Extent(self._size, self._checksum)

    def finish(self) -> None:
        """Flush the file to the disk and close it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def close(self) -> None:
        """Close the file, complete or not."""
        with suppress(OSError):  # the disk is full, and the unfinished files are about to be removed
            self._file.close()

    def _begin(self) -> int:
        """Read what precedes the content; return its length."""
        return 0

    def _continue(self) -> None:
        try:
            self._start = self._begin()
            left, checksum = self._size, 0
            while left and (block := self._file.read(min(_BLOCK, left))):
                left -= len(block)
                checksum = zlib.crc32(block, checksum)
            if left or checksum != self._checksum:
                raise ValueError("its content is not what was committed")
            self._file.seek(self._start + self._size)
            self._file.truncate()
        except (OSError, ValueError) as error:
            self.close()
            raise DataError(f"'{self._path}' cannot be continued.", why=f"{error}.") from error


class GrowingArray(GrowingFile):
    """A .npy file whose first axis grows; numpy pads the header, so that the final one fits in place of the first.

    Args:
        path: The file.
        column: Layout of an entry.
        committed: What to keep of a file that is there; None for a new one.

    Raises:
        DataError: The file does not begin with what was committed.
    """

    def __init__(self, path: Path, column: Column, committed: Extent | None = None) -> None:
        self._dtype = np.dtype(column.dtype)
        self._column = column
        self._entry: tuple[int, ...] = ()
        super().__init__(path, committed)

    def extend(self, array: NDArray[np.generic]) -> None:
        """Append entries."""
        if not self._size:
            self._entry = self._column.shape_like(array)
            self._write_header()
        self.append(np.ascontiguousarray(array).tobytes())

    def finish(self) -> None:
        """Write the final header, flush the file to the disk and close it."""
        self._file.seek(0)
        self._write_header()
        super().finish()

    def _begin(self) -> int:
        if not self._size:
            return 0
        npy.read_magic(self._file)
        shape, _, _ = npy.read_array_header_1_0(self._file)
        self._entry = shape[1:]
        return self._file.tell()

    def _write_header(self) -> None:
        rows = self._size // (self._dtype.itemsize * max(1, int(np.prod(self._entry))))
        header = {"descr": npy.dtype_to_descr(self._dtype), "fortran_order": False, "shape": (rows, *self._entry)}
        npy.write_array_header_1_0(self._file, header)


def append_part(file: GrowingFile, array: NDArray[np.generic]) -> None:
    """Append an array of any width to a file of arrays."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    file.append(buffer.getvalue())


def read_parts(path: Path) -> Iterator[NDArray[np.generic]]:
    """Yield the arrays of a file that :func:`append_part` wrote, one at a time."""
    with path.open("rb") as file:
        while file.peek(1):
            yield np.load(file, allow_pickle=False)
