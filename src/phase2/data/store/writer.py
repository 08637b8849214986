"""Writing a graph store: chunks of graphs are appended, and shards of them committed, to be continued after a kill."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from phase2.data.graphs.packed import COLUMNS, ENTITIES, PackedGraphs, offsets_from_counts
from phase2.data.graphs.packing import Rejection, Remark
from phase2.data.store.files import REJECTED, REMARKS, rejected_row
from phase2.data.store.growing import Extent, GrowingArray, GrowingFile, append_part, read_parts
from phase2.errors import DataError
from phase2.output.csv_text import write_csv
from phase2.storage.disk.atomic import atomic_file, sync_folder, write_text

_TEXTS = ("ids", "formulas")  # arrays whose width is known with the last entry
_PARTS = "parts"  # suffix of the files that are left out of the finished store
_REJECTED_FILE = "rejected.csv"
_REMARKS_FILE = "remarks.csv"
_JOURNAL = "journal.json"


@dataclass(slots=True)
class Written:
    """What a writer has written.

    Attributes:
        crystals: Number of graphs.
        rejected: Number of rejected records.
        reasons: Reasons of the first rejections.
        remarks: Number of remarks.
    """

    crystals: int
    rejected: int
    reasons: list[str]
    remarks: int = 0

    @property
    def records(self) -> int:
        """Number of records: each becomes a graph or is rejected."""
        return self.crystals + self.rejected


class GraphWriter:
    """Incremental writer of a graph store, whose memory does not grow with the sizes of its graphs.

    Args:
        folder: Folder of the files; must exist.
        identity: What the store is built from: a folder is continued with an equal one alone.

    Raises:
        DataError: The folder holds nothing that can be continued, and is not empty.

    Attributes:
        folder: The folder.
        written: What is written so far.
    """

    def __init__(self, folder: Path, identity: Mapping[str, object]) -> None:
        self.folder = folder
        self._identity = dict(identity)
        journal = _journal(folder, self._identity) if any(folder.iterdir()) else None
        self.written, extents = (Written(0, 0, []), None) if journal is None else journal
        self._open_files: dict[str, GrowingFile] = {}
        try:
            for name, file in self._files(extents):
                self._open_files[name] = file
        except BaseException:
            self.close()
            raise
        if journal is None:
            self._append_rows(_REJECTED_FILE, [REJECTED])
            self._append_rows(_REMARKS_FILE, [REMARKS])

    def append(self, graphs: PackedGraphs, rejected: Sequence[Rejection], remarks: Sequence[Remark] = ()) -> None:
        """Append graphs, rejected records and remarks to those written so far."""
        if len(graphs):
            for name, file in self._open_files.items():
                if isinstance(file, GrowingArray):
                    file.extend(getattr(graphs, name))
            for name in _TEXTS:
                append_part(self._open_files[name], getattr(graphs, name))
            for entity in ENTITIES[1:]:
                append_part(self._open_files[f"{entity}_count"], np.diff(graphs.offset(entity)))
        self._append_rows(_REJECTED_FILE, [rejected_row(one) for one in rejected])
        self._append_rows(_REMARKS_FILE, [(one.id, one.reason) for one in remarks])
        self.written.remarks += len(remarks)
        self.written.crystals += len(graphs)
        self.written.rejected += len(rejected)
        self.written.reasons += [one.reason for one in rejected[: 3 - len(self.written.reasons)]]

    def commit(self) -> None:
        """Record what is written, so that another process can continue from here when this one is killed."""
        extents = {name: file.commit() for name, file in self._open_files.items()}
        journal = {"identity": self._identity, "written": asdict(self.written), "extents": extents}
        write_text(self.folder / _JOURNAL, json.dumps(journal, indent=1) + "\n")

    def finish(self, meta: Mapping[str, object]) -> None:
        """Complete the files and flush them to the disk; meta.json comes last."""
        for file in self._open_files.values():
            file.finish()
        for name in _TEXTS:
            _join_texts(self.folder / f"{name}.{_PARTS}", self.folder / f"{name}.npy")
        for entity in ENTITIES[1:]:
            counts = list(read_parts(self.folder / f"{entity}_count.{_PARTS}"))
            _save(self.folder / f"{entity}_offset.npy", offsets_from_counts(np.concatenate(counts)))
        arrays = {path.stem: path.stat().st_size for path in sorted(self.folder.glob("*.npy"))}
        text = json.dumps(
            {**meta, "rejected": self.written.rejected, "remarks": self.written.remarks, "bytes": arrays}, indent=2
        )
        write_text(self.folder / "meta.json", text + "\n")
        sync_folder(self.folder)

    def close(self) -> None:
        """Close the files, complete or not."""
        for file in self._open_files.values():
            file.close()

    def _files(self, extents: Mapping[str, Extent] | None) -> Iterator[tuple[str, GrowingFile]]:
        def committed(name: str) -> Extent | None:
            return None if extents is None else extents[name]

        for name, column in COLUMNS.items():
            if name not in _TEXTS:
                yield name, GrowingArray(self.folder / f"{name}.npy", column, committed(name))
        for name in (*_TEXTS, *(f"{entity}_count" for entity in ENTITIES[1:])):
            yield name, GrowingFile(self.folder / f"{name}.{_PARTS}", committed(name))
        for name in (_REJECTED_FILE, _REMARKS_FILE):
            yield name, GrowingFile(self.folder / name, committed(name))

    def _append_rows(self, name: str, rows: Sequence[Sequence[str]]) -> None:
        text = io.StringIO(newline="")
        write_csv(text, rows, end="\r\n")
        self._open_files[name].append(text.getvalue().encode())


def has_journal(folder: Path) -> bool:
    """Tell whether a folder holds committed shards of an unfinished store."""
    return (folder / _JOURNAL).exists()


def remove_parts(folder: Path) -> None:
    """Remove the files that are left out of a finished store."""
    for path in (folder / _JOURNAL, *folder.glob(f"*.{_PARTS}")):
        path.unlink(missing_ok=True)


def _journal(folder: Path, identity: Mapping[str, object]) -> tuple[Written, Mapping[str, Extent]]:
    """Read what is committed in a folder: the counts, and how much of each file."""
    try:
        journal = json.loads((folder / _JOURNAL).read_bytes())
        if journal["identity"] != identity:
            raise ValueError("it is of another data set or version")
        if _REMARKS_FILE not in journal["extents"]:
            raise ValueError("it is of an earlier version")
        return Written(**journal["written"]), {name: Extent(*one) for name, one in journal["extents"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DataError(f"The unfinished store '{folder}' cannot be continued.", why=f"{error}.") from error


def _join_texts(parts: Path, path: Path) -> None:
    """Write the text arrays of a file as one, as wide as the widest, without holding them all."""
    count, dtype = 0, np.dtype("<U1")
    for part in read_parts(parts):
        count, dtype = count + len(part), np.promote_types(dtype, part.dtype)
    with atomic_file(path) as file:
        header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": (count,)}
        npy.write_array_header_1_0(file, header)
        for part in read_parts(parts):
            file.write(part.astype(dtype).tobytes())


def _save(path: Path, array: NDArray[np.generic]) -> None:
    with atomic_file(path) as file:
        np.save(file, array)
