"""What is predicted or embedded: a file, standard input, a folder, a bucket, or a data set."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, TypeAlias

import typer

from phase2.cli.console import note
from phase2.cli.store import open_command_store, open_existing_store
from phase2.config.data.addresses import is_content, may_be_name
from phase2.errors import DataError, RequestError

if TYPE_CHECKING:
    from phase2.config.limits import ReadingLimits
    from phase2.data.crystals.listing import LeftOut
    from phase2.prediction.reading.file_records import FileRecord
    from phase2.prediction.table import PredictedStructure

FilesOption: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--cif",
        help="A file of one or many structures: CIF, POSCAR, JSON, extended XYZ, ...; - is standard input; may be "
        "repeated.",
    ),
]

STANDARD_STREAM = Path("-")
"""Path that means standard input or output."""

_DEV_STDIN = Path("/dev/stdin")
_OPENED_BY_SHELL = (Path("/dev/fd"), Path("/proc/self/fd"))


@dataclass(frozen=True, slots=True)
class Inputs:
    """Structures to predict.

    Attributes:
        files: Files on this machine, or records of a data set.
        refused: Keys of a bucket that cannot be downloaded.
    """

    files: Sequence[Path | FileRecord]
    refused: tuple[LeftOut, ...] = ()

    def rows(self) -> tuple[PredictedStructure, ...]:
        """Return a row for each key that was refused."""
        from phase2.prediction.table import PredictedStructure

        return tuple(PredictedStructure(one.name, "", None, error=f"It has {one.why}.") for one in self.refused)


def given_files(paths: Sequence[Path], folder: Path, limits: ReadingLimits) -> Inputs:
    """Return files of structures; what comes through standard input or ``<(command)`` is copied into a folder first.

    Raises:
        RequestError: A file is named twice.
        DataError: One is a folder; or standard input is a terminal, closed or empty, or its content cannot be kept.
        LimitExceededError: One has more than ``unpacked_bytes``.
    """
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice is not None:
        raise RequestError(f"--cif {twice} is given twice.", fix="Name each file once.")
    return Inputs([_given(path, folder, limits) for path in paths])


def _given(path: Path, folder: Path, limits: ReadingLimits) -> Path:
    if path == STANDARD_STREAM:
        if sys.stdin is None or sys.stdin.isatty():
            raise DataError(
                "--cif - reads standard input, which is a terminal or closed.",
                why="No structure comes from there.",
                fix="Pipe one into the command, or name a file.",
            )
        return _copied(sys.stdin.buffer, folder / "stdin", limits)
    if (path == _DEV_STDIN or path.parent in _OPENED_BY_SHELL) and path.is_fifo():
        with path.open("rb") as pipe:
            return _copied(pipe, folder / ("stdin" if path == _DEV_STDIN else f"pipe-{path.name}"), limits)
    if path.is_dir():
        raise DataError(f"--cif {path} names a folder.", fix=f"Write --dir {path} for the structures in it.")
    return path


def _copied(content: IO[bytes], copy: Path, limits: ReadingLimits) -> Path:
    from phase2.data.crystals.files.compressed import BoundedStream

    bounded = BoundedStream(content, Path(copy.name), limits, limits.unpacked_bytes)
    try:
        with copy.open("wb") as file:
            shutil.copyfileobj(bounded, file)
            size = file.tell()
    except OSError as error:
        raise DataError(
            f"{copy.name} cannot be copied into {copy.parent}.",
            why=f"{error.strerror}.",
            fix="Set TMPDIR to a folder with space for it, or name a file.",
        ) from error
    if size == 0:
        raise DataError(
            f"{copy.name} is empty.", why="The command before it wrote nothing.", fix="Pipe a structure file into it."
        )
    return copy


def list_structures(directory: str, part: str | None, folder: Path, limits: ReadingLimits, store: str | None) -> Inputs:
    """List the structures of a folder or of pushed data, or download those of a bucket; name the others."""
    from phase2.data.crystals import listing
    from phase2.prediction.stored_inputs import Shard, download_structures, list_stored_structures
    from phase2.storage.urls import is_address

    shard = Shard.parse(part) if part else Shard()
    if is_content(directory) or (may_be_name(directory) and not Path(directory).exists()):
        from phase2.data.stored.opening import local_path

        directory = str(local_path(directory, store=open_existing_store(store) if store else None))
    if not is_address(directory):
        found = listing.list_structures(Path(directory))
        _note_left_out(found.left_out)
        return Inputs(shard.select(found.structures))
    place = open_command_store(directory)
    stored = list_stored_structures(place)
    _note_left_out(stored.left_out)
    downloaded = download_structures(place, shard.select(stored.objects), folder, limits)
    return Inputs(downloaded, tuple(shard.select(stored.refused)))


def list_records(data: str, part: str | None, limits: ReadingLimits, store: str | None) -> Inputs:
    """List the records of a data set by any address; name the files that no record is made of."""
    from phase2.data.crystals.listing import left_out_notes
    from phase2.data.sources.folder import FolderSource
    from phase2.data.stored.opening import open_data_set
    from phase2.prediction.reading.file_records import data_records
    from phase2.prediction.stored_inputs import Shard

    shard = Shard.parse(part) if part else Shard()
    source = open_data_set(data, limits, (), store=open_existing_store(store) if store else None)
    records = shard.select(data_records(source))
    for text in left_out_notes(source.left_out()) if isinstance(source, FolderSource) else ():
        note(text)
    return Inputs(records)


def _note_left_out(left_out: Sequence[LeftOut]) -> None:
    from phase2.data.crystals.listing import left_out_notes

    for text in left_out_notes(left_out):
        note(text)
