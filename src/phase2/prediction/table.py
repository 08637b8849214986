"""The table of predictions, and the files it is written to."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phase2.errors import RequestError
from phase2.properties import Property
from phase2.storage.atomic import via_temporary

FORMATS = (".csv", ".json", ".parquet")


@dataclass(frozen=True, slots=True)
class PredictedStructure:
    """One line of a prediction table.

    Attributes:
        file: Where the structure came from.
        formula: Reduced formula, "" when the file could not be read.
        values: Predictions in the properties' units, shape (P,), or None when there is none.
        error: Why there is no prediction, "" when there is one.
        warning: Why the prediction may be poor, "" when nothing is known against it.
    """

    file: str
    formula: str
    values: NDArray[np.float64] | None
    error: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True)
class PredictionTable:
    """Predictions for a list of structures, in the order they were given."""

    properties: tuple[Property, ...]
    rows: tuple[PredictedStructure, ...]

    @property
    def failures(self) -> tuple[PredictedStructure, ...]:
        """The structures without a prediction."""
        return tuple(row for row in self.rows if row.values is None)

    def columns(self) -> list[str]:
        """Headings: file, formula, each property with its unit, warning, error."""
        return ["file", "formula", *(p.heading for p in self.properties), "warning", "error"]

    def records(self) -> list[list[str | float | None]]:
        """Rows under :meth:`columns`; a missing prediction is None."""
        blank = [None] * len(self.properties)
        return [
            [row.file, row.formula, *(blank if row.values is None else row.values.tolist()), row.warning, row.error]
            for row in self.rows
        ]


def readable_name(file: Path) -> str:
    """Name of a file as text that every format can hold, also where the name is no UTF-8."""
    return os.fsencode(file).decode(errors="replace")


def check_output(path: Path) -> None:
    """Refuse an output file that could not be written, before any work is done.

    Raises:
        RequestError: The suffix is unknown, or the folder does not exist.
    """
    if path.suffix.lower() not in FORMATS:
        raise RequestError(
            f"--output {path} has no known format.", fix=f"Use a name that ends in {', '.join(FORMATS)}."
        )
    if not path.parent.is_dir():
        raise RequestError(f"The folder {path.parent} does not exist.", fix="Create it, or write elsewhere.")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise RequestError(f"{path} cannot be written.", fix="Check the permissions, or write elsewhere.")


def write_table(table: PredictionTable, path: Path) -> None:
    """Write predictions as CSV, JSON or Parquet, by the file's suffix; headings carry the units."""
    writers = {".csv": _write_csv, ".json": _write_json, ".parquet": _write_parquet}
    via_temporary(path, lambda temporary: writers[path.suffix.lower()](table, temporary))


def _write_csv(table: PredictionTable, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table.columns())
        writer.writerows(table.records())


def _write_json(table: PredictionTable, path: Path) -> None:
    columns = table.columns()
    rows = [dict(zip(columns, record, strict=True)) for record in table.records()]
    path.write_text(json.dumps(rows, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _write_parquet(table: PredictionTable, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = list(zip(*table.records(), strict=True))
    types = [pa.string()] * 2 + [pa.float64()] * len(table.properties) + [pa.string()] * 2
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    pq.write_table(pa.table(arrays, names=table.columns()), path)
