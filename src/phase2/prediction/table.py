"""Tables of predictions, in memory and as CSV, JSON or Parquet files."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phase2.errors import RequestError
from phase2.output.csv_text import write_csv
from phase2.properties import Property
from phase2.storage.disk.atomic import via_temporary

FORMATS = (".csv", ".json", ".parquet")


@dataclass(frozen=True, slots=True)
class PredictedStructure:
    """Row of a prediction table: one structure.

    Attributes:
        file: Path of the structure.
        formula: Reduced formula, "" if the file could not be read.
        values: Predictions, shape (P,), float64, in the properties' units; None if there are none.
        error: Why there is no prediction, "" if there is one.
        warning: Why the prediction may be inaccurate, "" if there is no known reason.
        spread: Standard deviation of the predictions of an ensemble, shape (P,), float64, in the properties' units;
            None for a single model.
        intervals: Low and high ends by level and property, shape (L, P, 2), float64, in the properties' units, NaN
            where the model has too few validation labels, and for a binary property, whose prediction says itself how
            sure it is; None without intervals.
        difficulty: Expected errors up to a factor, shape (P,), float64; None where the model does not know.
        novelty: Distance to the training crystals; above 1 the structure is unlike them. None where the model does
            not know.
        factors: What learned values are multiplied by, shape (P,), float64; None for 1.
    """

    file: str
    formula: str
    values: NDArray[np.float64] | None
    error: str = ""
    warning: str = ""
    spread: NDArray[np.float64] | None = None
    intervals: NDArray[np.float64] | None = None
    difficulty: NDArray[np.float64] | None = None
    novelty: float | None = None
    factors: NDArray[np.float64] | None = None

    def relative_to(self, folder: Path) -> PredictedStructure:
        """Return the row with its path, also in the error, relative to a folder."""
        start = f"{readable_name(folder)}/"
        return replace(self, file=self.file.removeprefix(start), error=self.error.replace(start, ""))


@dataclass(frozen=True, slots=True)
class PredictionTable:
    """Predictions for a list of structures, in the order given.

    Attributes:
        properties: The predicted properties, P of them.
        rows: One row per structure.
        members: Number of models; with several, values are means and rows have a spread.
        levels: Levels of the intervals of each row.
        notes: What the user should know of the whole table, one line each.
    """

    properties: tuple[Property, ...]
    rows: tuple[PredictedStructure, ...]
    members: int = 1
    levels: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[PredictedStructure, ...]:
        """Rows without a prediction."""
        return tuple(row for row in self.rows if row.values is None)

    def relative_to(self, folder: Path) -> PredictionTable:
        """Return the table with the paths of structures in a folder relative to it."""
        return replace(self, rows=tuple(row.relative_to(folder) for row in self.rows))

    def with_rows(self, rows: Sequence[PredictedStructure]) -> PredictionTable:
        """Return the table with further rows at its end."""
        return replace(self, rows=(*self.rows, *rows))

    def columns(self) -> list[str]:
        """Return all headings: file, formula, the numeric headings, warning and error."""
        return ["file", "formula", *self.numeric_headings(), "warning", "error"]

    def numeric_headings(self) -> list[str]:
        """Return the headings of predictions, spreads of an ensemble, ends of intervals, and novelty with these.

        A binary property has no interval.
        """
        means = [p.predicted_heading for p in self.properties]
        spreads = [f"std of {heading}" for heading in means] if self.members > 1 else []
        ends = [
            _end_heading(self.properties[k], end, self._of(level))
            for level in self.levels
            for k in self._with_intervals()
            for end in _ENDS
        ]
        return [*means, *spreads, *ends, *(["novelty"] if self.levels else [])]

    def numbers(self, row: PredictedStructure) -> list[float | None]:
        """Return the numbers of a row in the order of :meth:`numeric_headings`; an empty list without a prediction.

        An end of an interval that is not known is None.
        """
        if row.values is None:
            return []
        intervals = None if row.intervals is None else row.intervals[:, self._with_intervals()]
        parts = [part.ravel() for part in (row.values, row.spread, intervals) if part is not None]
        found: list[float | None] = [None if np.isnan(x) else float(x) for part in parts for x in part]
        return found if intervals is None else [*found, row.novelty]

    def records(self) -> list[list[str | float | None]]:
        """Return the rows in the order of :meth:`columns`; a missing prediction is None."""
        blank = [None] * len(self.numeric_headings())
        return [[row.file, row.formula, *(self.numbers(row) or blank), row.warning, row.error] for row in self.rows]

    def _with_intervals(self) -> list[int]:
        """Return which of the properties have intervals."""
        return [k for k, prop in enumerate(self.properties) if prop.task != "binary"]

    def _of(self, level: float) -> str:
        """Return what distinguishes the headings of one of several levels."""
        return f"_{level:g}" if len(self.levels) > 1 else ""


_ENDS = ("low", "high")


def _end_heading(prop: Property, end: str, level: str) -> str:
    """Return the heading of one end of an interval: ``band_gap_low [eV]``, or ``band_gap_low_0.9 [eV]``."""
    return replace(prop, key=f"{prop.key}_{end}{level}").heading


def readable_name(file: Path) -> str:
    """Return the name of a file as valid text for every format, even if it is no UTF-8."""
    return os.fsencode(file).decode(errors="replace")


def check_output(path: Path, formats: Sequence[str] = FORMATS) -> None:
    """Check that an output file can be written, before any work is done.

    Args:
        path: The file.
        formats: Suffixes that it may have.

    Raises:
        RequestError: The suffix is unknown, the folder does not exist, or the file cannot be written.
    """
    if path.suffix.lower() not in formats:
        raise RequestError(
            f"--output {path} has no known format.", fix=f"Use a name that ends in {', '.join(formats)}."
        )
    if not path.parent.is_dir():
        raise RequestError(f"The folder {path.parent} does not exist.", fix="Create it, or write elsewhere.")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise RequestError(f"{path} cannot be written.", fix="Check the permissions, or write elsewhere.")


def write_table(table: PredictionTable, path: Path) -> None:
    """Write predictions as CSV, JSON or Parquet, depending on the suffix; headings have the units."""
    writers = {".csv": _write_csv, ".json": _write_json, ".parquet": _write_parquet}
    via_temporary(path, lambda temporary: writers[path.suffix.lower()](table, temporary))


def csv_text(table: PredictionTable) -> str:
    """Return predictions as the text of a CSV, for another program to read."""
    text = io.StringIO(newline="")
    write_csv(text, [table.columns(), *table.records()])
    return text.getvalue()


def _write_csv(table: PredictionTable, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        write_csv(file, [table.columns(), *table.records()], end="\r\n")


def _write_json(table: PredictionTable, path: Path) -> None:
    columns = table.columns()
    rows = [dict(zip(columns, record, strict=True)) for record in table.records()]
    path.write_text(json.dumps(rows, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _write_parquet(table: PredictionTable, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = list(zip(*table.records(), strict=True))
    types = [pa.string()] * 2 + [pa.float64()] * len(table.numeric_headings()) + [pa.string()] * 2
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    pq.write_table(pa.table(arrays, names=table.columns()), path)
