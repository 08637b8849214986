"""Conversion of a data set into a file or folder that other programs read: whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.files.compressed import bare_name
from phase2.data.graphs.packing import Remark
from phase2.data.sources.base import LabelledCrystal, Source
from phase2.data.writers.files import (
    WriteFile,
    write_ase_database,
    write_extxyz,
    write_jarvis,
    write_parquet,
    write_pymatgen,
)
from phase2.data.writers.folder import write_cif_folder, write_poscar_folder
from phase2.data.writers.parsed import Rejected, parse_records
from phase2.errors import DataError, RequestError, UnknownNameError
from phase2.storage.disk.errors import disk_errors
from phase2.storage.progress import ProgressCallback


class Target(NamedTuple):
    """Form of a data set that is written.

    Attributes:
        title: What it is.
        suffix: Suffix of a file of this form, "" for a folder.
        write: Its writer.
        packed: Whether the file may be compressed by gzip.
    """

    title: str
    suffix: str
    write: WriteFile
    packed: bool = False


TARGETS = {
    "cif": Target("a folder of CIF with a CSV", "", write_cif_folder),
    "poscar": Target("a folder of POSCAR with a CSV", "", write_poscar_folder),
    "jarvis": Target("JSON lines in JARVIS's schema", ".jsonl", write_jarvis, packed=True),
    "pymatgen": Target("a JSON list of pymatgen structures", ".json", write_pymatgen, packed=True),
    "extxyz": Target("extended XYZ", ".extxyz", write_extxyz, packed=True),
    "parquet": Target("Parquet", ".parquet", write_parquet),
    "ase": Target("an ASE database", ".db", write_ase_database),
}


@dataclass(slots=True)
class Conversion:
    """What came of a conversion.

    Attributes:
        written: Number of crystals written.
        rejected: The records that were not.
        remarks: What was assumed or left out in reading the crystals.
    """

    written: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


def target_of(path: Path, name: str | None = None) -> Target:
    """Return the form to write, by its name or the suffix of the path.

    Raises:
        UnknownNameError: There is no such form.
        RequestError: The path says none, or it is another than the name says.
    """
    if name is not None and name not in TARGETS:
        raise UnknownNameError.of("form of a data set", name, tuple(TARGETS))
    bare = bare_name(path.name)
    by_suffix = next((one for one in TARGETS.values() if one.suffix and bare.endswith(one.suffix)), None)
    found = by_suffix if name is None else TARGETS[name]
    if found is None:
        raise RequestError(
            f"It is not clear what to write to {path}.",
            why=f"Its name ends in none of {', '.join(one.suffix for one in TARGETS.values() if one.suffix)}.",
            fix="Add --to cif or --to poscar for a folder.",
        )
    if (found.suffix and not bare.endswith(found.suffix)) or (bare != path.name.lower() and not found.packed):
        ending = f"{found.suffix}, {found.suffix}.gz" if found.packed else found.suffix or "none of a compression"
        raise RequestError(f"{path} cannot be {found.title}.", why=f"Such a name ends in {ending}.", fix="Rename it.")
    return found


def convert(
    source: Source,
    path: Path,
    target: Target,
    *,
    limits: ReadingLimits = DEFAULT_LIMITS,
    progress: ProgressCallback | None = None,
) -> Conversion:
    """Write a data set, with ids and labels, in a temporary place that is renamed when it is complete.

    Args:
        source: The data set.
        path: The file or folder to write, which must not exist.
        target: Its form.
        limits: Limits of reading.
        progress: Callback receiving the number of records done.

    Raises:
        RequestError: The path exists, or cannot be written.
        DataError: The source cannot be read, or holds no valid crystal.
        TransientError: The disk is full.
    """
    if path.exists() or path.is_symlink():
        raise RequestError(f"{path} exists.", why="Nothing is overwritten.", fix="Remove it, or name another.")
    found = Conversion()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name[:80]}.", suffix=".tmp"))
    except OSError as error:
        raise RequestError(f"{path} cannot be written.", why=f"{error.strerror}.", fix="Name another.") from error
    try:
        with disk_errors(path):
            target.write(temporary / path.name, _valid(source, found, limits, progress), source.properties)
        if not found.written:
            reasons = " ".join(one.reason for one in found.rejected[:3])
            why = f"The first reasons: {reasons}" if reasons else "It has no record."
            raise DataError(f"'{source.name}' holds no valid crystal.", why=why, fix="Check it.")
        _publish(temporary / path.name, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return found


def _valid(
    source: Source, found: Conversion, limits: ReadingLimits, progress: ProgressCallback | None
) -> Iterator[LabelledCrystal]:
    for one in parse_records(source, limits):
        if isinstance(one, Rejected):
            found.rejected.append(one)
        else:
            found.written += 1
            found.remarks += [Remark(one.crystal.id, text) for text in one.crystal.remarks]
            yield one
        if progress and not (found.written + len(found.rejected)) % 100:
            progress(found.written + len(found.rejected), None)


def _publish(temporary: Path, path: Path) -> None:
    """Rename what was written, and never over something that came meanwhile."""
    try:
        if temporary.is_dir():
            temporary.rename(path)
        else:
            os.link(temporary, path)
    except FileExistsError as error:
        raise RequestError(f"{path} exists now.", why="Nothing is overwritten.", fix="Name another.") from error
