"""Predictions in a file, joined with labelled crystals by their ids."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.shown import cut
from phase2.errors import DataError
from phase2.output.csv_text import read_csv
from phase2.properties import Property

ID_COLUMNS = ("id", "jid", "material_id", "mp_id", "name", "file")
_FILE = "file"
_HEADING = re.compile(r"\s*(?P<key>[A-Za-z]\w*?)(?P<what>_predicted)?\s*(?:\[(?P<unit>[^\]]*)\])?\s*")
_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class PredictionFile:
    """Predictions of a CSV.

    Attributes:
        properties: The P properties that it has predictions of.
        names: Ids, or files, of its B rows.
        values: Predictions, (B, P) float64, in the properties' units; NaN where a field is empty.
        by_file: Whether rows are named by files, whose names may have a folder and a suffix that ids lack.
    """

    properties: tuple[Property, ...]
    names: tuple[str, ...]
    values: NDArray[np.float64]
    by_file: bool


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Predictions of labelled crystals.

    Attributes:
        values: Predictions, (B, P) float64, NaN for crystals without one.
        found: Which crystals the file has a row of, (B,) bool.
        missing: Crystals that the file has no row of.
        extra: Rows of the file that no labelled crystal has the name of.
    """

    values: NDArray[np.float64]
    found: NDArray[np.bool_]
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    def notes(self, file: str) -> list[str]:
        """Count and name what has no partner."""
        found = []
        if self.missing:
            found.append(f"{len(self.missing):,} labelled crystals have no row in {file}: {shortened(self.missing)}")
        if self.extra:
            found.append(f"{len(self.extra):,} rows of {file} are no labelled crystal: {shortened(self.extra)}")
        return found


def read_prediction_file(path: Path, properties: Sequence[Property]) -> PredictionFile:
    """Read predictions as ``phase2 predict``, ``phase2 evaluate`` and a run write them, or any CSV with an id column.

    A column of predictions is headed by a property's key, with or without ``_predicted`` and its unit:
    ``band_gap``, ``band_gap [eV]``, ``band_gap_predicted [eV]``.

    Args:
        path: The CSV.
        properties: Properties that columns may be of.

    Raises:
        DataError: It cannot be read, has no column of ids or of predictions, another unit than the property, a field
            that is no number, or an id twice.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            head, *rows = [row for row in read_csv(file) if any(row)] or [[]]
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read.", why=f"{error}.", fix="Give a CSV of predictions.") from error
    at = next((head.index(name) for name in ID_COLUMNS if name in head), None)
    columns = _columns(head, properties, path)
    if at is None or not columns:
        raise DataError(
            f"{path} is no table of predictions.",
            why="It has no column of ids." if at is None else "No column is headed by a property.",
            fix=f"Head the ids 'id', and predictions by property: {', '.join(p.heading for p in properties)}.",
        )
    bad = next((k for k, row in enumerate(rows) if len(row) != len(head)), None)
    if bad is not None:
        raise DataError(f"Row {bad + 2} of {path} has {len(rows[bad])} fields, not {len(head)}.", fix="Repair the row.")
    names = tuple(row[at].strip() for row in rows)
    _refuse_duplicates(names, str(path))
    values = np.array([[_number(row[k], path, row[at]) for k in columns.values()] for row in rows], dtype=np.float64)
    return PredictionFile(tuple(columns), names, values.reshape(len(rows), len(columns)), by_file=head[at] == _FILE)


def join(file: PredictionFile, ids: Sequence[str]) -> Joined:
    """Find the predictions of crystals.

    Args:
        file: The predictions.
        ids: Ids of the crystals.

    Raises:
        DataError: An id of the crystals, or the name of two files without their folder, stands for several rows, or no
            prediction has a partner.
    """
    _refuse_duplicates(ids, "The data set")
    row = {name: k for k, name in enumerate(file.names)}
    if file.by_file and not any(name in row for name in ids):
        short = [_stem(name, ids) for name in file.names]
        _refuse_duplicates(short, "The predictions, without folders and suffixes,")
        row = {name: k for k, name in enumerate(short)}
    rows = np.array([row.get(name, -1) for name in ids])
    if not (rows >= 0).any():
        raise DataError(
            "No prediction has the id of a labelled crystal.",
            why=f"The predictions have {shortened(file.names)}, the data set {shortened(ids)}.",
            fix="Give the data set that was predicted, and the ids as they are in it.",
        )
    values = np.where(rows[:, None] >= 0, file.values[rows], np.nan)
    known = set(ids)
    missing = tuple(name for name, found in zip(ids, rows, strict=True) if found < 0)
    return Joined(values, rows >= 0, missing, tuple(name for name in row if name not in known))


def shortened(names: Sequence[str]) -> str:
    """Name the first few."""
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(map(cut, names[:_SHOWN])) + more


def _columns(head: Sequence[str], properties: Sequence[Property], path: Path) -> dict[Property, int]:
    by_key = {p.key: p for p in properties}
    found: dict[Property, int] = {}
    for k, heading in enumerate(head):
        parsed = _HEADING.fullmatch(heading)
        prop = by_key.get(parsed["key"]) if parsed else None
        if parsed is None or prop is None:
            continue
        if prop in found:
            raise DataError(f"{path} has two columns of {prop.key}.", fix="Remove one of the two.")
        if parsed["unit"] is not None and parsed["unit"] != prop.unit:
            raise DataError(
                f"The column '{heading}' of {path} is in another unit than {prop.heading}.",
                why=f"Errors are measured in {prop.unit or 'no unit'}.",
                fix="Convert the column.",
            )
        found[prop] = k
    return found


def _number(field: str, path: Path, name: str) -> float:
    try:
        return float(field) if field.strip() else np.nan
    except ValueError:
        raise DataError(
            f"A prediction of {cut(name)} in {path} is no number: '{cut(field)}'.", fix="Repair or empty the field."
        ) from None


def _refuse_duplicates(names: Sequence[str], what: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            f"{what} has {len(twice):,} ids more than once.",
            why=f"It is not known which row is meant by {shortened(twice)}.",
            fix="Give each crystal one row.",
        )


def _stem(name: str, ids: Sequence[str]) -> str:
    """Return the name of a file as ids have it: without its folder, and without its suffix where ids have none."""
    path = PurePath(name)
    return path.name if path.name in ids else path.stem
