"""Predictions in a file: a CSV with ids and a column per property."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.shown import cut
from phase2.errors import DataError
from phase2.output.csv_text import read_csv
from phase2.properties import Property

ID_COLUMNS = ("id", "jid", "material_id", "mp_id", "name", "file")
_FILE = "file"
_HEADING = re.compile(r"\s*(?P<key>[A-Za-z]\w*?)(?P<what>_predicted)?\s*(?:\[(?P<unit>[^\]]*)\])?\s*")
_BESIDE = re.compile("_(reference|low|high)$")
"""Endings of the headings of labels, and of the ends of intervals."""
_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class PredictionFile:
    """Predictions of a CSV.

    Attributes:
        properties: The P properties that it has predictions of.
        names: Ids, or files, of its B rows.
        values: Predictions, (B, P) float64, in the properties' units; NaN where a field is empty.
        by_file: Whether rows are named by files, whose names may have a folder and a suffix that ids lack.
        unknown: Headings that look like those of predictions and are of no property that is known.
    """

    properties: tuple[Property, ...]
    names: tuple[str, ...]
    values: NDArray[np.float64]
    by_file: bool
    unknown: tuple[str, ...] = ()

    def select(self, properties: Sequence[Property], path: Path) -> PredictionFile:
        """Return the predictions of some properties, in their order.

        Args:
            properties: The properties.
            path: The CSV, for messages.

        Raises:
            DataError: It has no predictions of one.
        """
        missing = next((p for p in properties if p not in self.properties), None)
        if missing is not None:
            raise DataError(
                f"{path} has no predictions of {missing.key}.",
                why=f"It has those of {', '.join(p.key for p in self.properties)}.",
                fix=f"Head a column '{missing.predicted_heading}', or ask for another property.",
            )
        columns = [self.properties.index(p) for p in properties]
        return replace(self, properties=tuple(properties), values=self.values[:, columns])

    def notes(self, file: str) -> list[str]:
        """Name the columns that are not judged."""
        if not self.unknown:
            return []
        return [
            f"{len(self.unknown)} columns of {file} are not judged: {shortened(self.unknown)}; define properties of "
            "your own with --property, or name the model that has them with --model"
        ]


def read_prediction_file(path: Path, properties: Sequence[Property]) -> PredictionFile:
    """Read predictions as ``phase2 predict``, ``phase2 evaluate`` and a run write them, or any CSV with an id column.

    A column of predictions is headed by a property's key, with or without ``_predicted`` and its unit:
    ``band_gap``, ``band_gap [eV]``, ``band_gap_predicted [eV]``; those of a binary property are probabilities, with or
    without ``[probability]``.

    Args:
        path: The CSV.
        properties: Properties that columns may be of.

    Raises:
        DataError: It cannot be read, has no column of ids or of predictions, another unit than the property, a field
            that is no number, or no probability where that is meant, or an id twice.
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
            fix=f"Head the ids 'id', and predictions by property: {_headings(properties)}. Properties of your own are "
            "defined with --property, or by the model that --model names.",
        )
    bad = next((k for k, row in enumerate(rows) if len(row) != len(head)), None)
    if bad is not None:
        raise DataError(f"Row {bad + 2} of {path} has {len(rows[bad])} fields, not {len(head)}.", fix="Repair the row.")
    names = tuple(row[at].strip() for row in rows)
    refuse_duplicates(names, str(path))
    values = np.array(
        [[_number(row[k], prop, path, row[at]) for prop, k in columns.items()] for row in rows], dtype=np.float64
    )
    return PredictionFile(
        tuple(columns),
        names,
        values.reshape(len(rows), len(columns)),
        by_file=head[at] == _FILE,
        unknown=_unknown(head, properties),
    )


def shortened(names: Sequence[str]) -> str:
    """Name the first few."""
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(map(cut, names[:_SHOWN])) + more


def refuse_duplicates(names: Sequence[str], what: str) -> None:
    """Refuse names that stand twice.

    Raises:
        DataError: One does.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            f"{what} has {len(twice):,} ids more than once.",
            why=f"It is not known which row is meant by {shortened(twice)}.",
            fix="Give each crystal one row.",
        )


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
        if parsed["unit"] is not None and parsed["unit"] not in (prop.unit, prop.predicted_unit):
            raise DataError(
                f"The column '{heading}' of {path} is in another unit than {prop.predicted_heading}.",
                why=f"Errors are measured in {prop.unit or 'no unit'}.",
                fix="Convert the column.",
            )
        found[prop] = k
    return found


def _headings(properties: Sequence[Property]) -> str:
    return ", ".join(p.predicted_heading for p in properties)


def _unknown(head: Sequence[str], properties: Sequence[Property]) -> tuple[str, ...]:
    """Return the headings with a unit or ``_predicted`` that are of no property, nor of what belongs to predictions."""
    known = {p.key for p in properties}
    parsed = [(heading, _HEADING.fullmatch(heading)) for heading in head]
    return tuple(
        heading
        for heading, one in parsed
        if one and one["key"] not in known and (one["what"] or (one["unit"] and not _BESIDE.search(one["key"])))
    )


def _number(field: str, prop: Property, path: Path, name: str) -> float:
    try:
        found = float(field) if field.strip() else np.nan
    except ValueError:
        raise DataError(
            f"A prediction of {cut(name)} in {path} is no number: '{cut(field)}'.", fix="Repair or empty the field."
        ) from None
    if prop.task == "binary" and not (np.isnan(found) or 0 <= found <= 1):
        raise DataError(
            f"A prediction of {cut(name)} in {path} is no probability: {prop.key} = {cut(field)}.",
            why="Predictions of a binary property lie between 0 (false) and 1 (true).",
            fix="Convert the column, logits with 1 / (1 + exp(-x)) for instance.",
        )
    return found
