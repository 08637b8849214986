"""Writers of data sets that are one file: each takes the crystals one after another, in bounded memory."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, TypeAlias, cast

from phase2.data.sources.base import LabelledCrystal
from phase2.data.writers.records import extxyz_frame, jarvis_line, jarvis_record, labels_of, pymatgen_document
from phase2.properties import Property

WriteFile: TypeAlias = Callable[[Path, Iterator[LabelledCrystal], Sequence[Property]], None]
"""Writer of a file that does not exist, from crystals and the properties of their labels."""

_ROWS = 1_024


def write_jarvis(path: Path, crystals: Iterator[LabelledCrystal], properties: Sequence[Property]) -> None:
    """Write JSON lines in JARVIS's schema."""
    with _binary(path) as file:
        for one in crystals:
            file.write(f"{jarvis_line(one, properties)}\n".encode())


def write_pymatgen(path: Path, crystals: Iterator[LabelledCrystal], properties: Sequence[Property]) -> None:
    """Write a JSON list of documents with pymatgen structures."""
    with _binary(path) as file:
        separator = "["
        for one in crystals:
            file.write(f"{separator}\n{pymatgen_document(one, properties)}".encode())
            separator = ","
        file.write(b"[]\n" if separator == "[" else b"\n]\n")


def write_extxyz(path: Path, crystals: Iterator[LabelledCrystal], properties: Sequence[Property]) -> None:
    """Write extended XYZ, a frame for each crystal."""
    with _binary(path) as file:
        for one in crystals:
            file.write(f"{extxyz_frame(one, properties)}\n".encode())


def write_parquet(path: Path, crystals: Iterator[LabelledCrystal], properties: Sequence[Property]) -> None:
    """Write a table with the columns ``id``, ``atoms`` (JARVIS's form) and one for each property."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    table = pa.list_(pa.list_(pa.float64()))
    atoms = pa.struct(
        [("lattice_mat", table), ("coords", table), ("elements", pa.list_(pa.string())), ("cartesian", pa.bool_())]
    )
    labels = [(prop.key, pa.float64()) for prop in properties]
    schema = pa.schema([("id", pa.string()), ("atoms", atoms), *labels])
    with ParquetWriter(path, schema) as writer:
        while part := list(islice(crystals, _ROWS)):
            rows = [{"id": one.crystal.id, "atoms": jarvis_record(one), **labels_of(one, properties)} for one in part]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def write_ase_database(path: Path, crystals: Iterator[LabelledCrystal], properties: Sequence[Property]) -> None:
    """Write an ASE database: labels are key-value pairs, and the id stands in ``data``."""
    from ase import Atoms
    from ase.db import connect

    with connect(str(path), type="db") as database:
        for one in crystals:
            crystal = one.crystal
            atoms = Atoms(crystal.species, scaled_positions=crystal.frac, cell=crystal.lattice, pbc=True)
            database.write(atoms, key_value_pairs=labels_of(one, properties), data={"id": crystal.id})


@contextmanager
def _binary(path: Path) -> Iterator[IO[bytes]]:
    with path.open("wb") as file:
        if ".gz" in path.suffixes:
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                yield cast("IO[bytes]", packed)
        else:
            yield file
