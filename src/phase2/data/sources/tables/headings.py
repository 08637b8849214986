"""Headings of a CSV of targets: which columns name the structure, and which hold labels in which unit."""

from __future__ import annotations

import difflib
import logging
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from phase2.data.sources.missing import is_missing
from phase2.data.sources.tables.notes import log_once
from phase2.data.sources.tables.rows import Table
from phase2.errors import DataError
from phase2.properties import PROPERTIES, Property
from phase2.units import conversion_factor, counted_per, is_unit

log = logging.getLogger(__name__)

_BRACKETS = re.compile(r"(?P<name>.*?)\s*(?:\[(?P<square>[^\[\]]*)\]|\((?P<round>[^()]*(?:\([^()]*\)[^()]*)*)\))")
_WORD_END = re.compile(r"[\s_,:/-]+(?:in[\s_]+)?")
_NAMES = {
    "file": ("file", "filename"),
    "id": ("id", "jid", "materialid"),
    "text": ("cif", "poscar"),
    "structure": ("structure", "atoms"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """Column of labels of a property; several properties may be read of one.

    Attributes:
        position: Its position in the table.
        property: The property.
        factor: What its values are multiplied by to be in the unit of the property.
    """

    position: int
    property: Property
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of a table, by their position.

    Attributes:
        file: Column of the paths; None without one.
        id: Column of the names; None without one.
        text: Column of the texts of CIFs or POSCARs, or of files where there is no column of paths; None without one.
        structure: Column that is read where it has texts or JSON of structures; None without one.
        labels: Columns of labels.
    """

    file: int | None = None
    id: int | None = None
    text: int | None = None
    structure: int | None = None
    labels: list[Column] = field(default_factory=list)


def is_known_heading(text: str, properties: Sequence[Property]) -> bool:
    """Tell whether a cell is the heading of a column that is read."""
    return _named(text) is not None or bool(_properties_in(text, properties)[0])


def parse_headings(table: Path, content: Table, properties: Sequence[Property]) -> Columns:
    """Find the columns of a table.

    Headings are compared without regard to case, blanks, hyphens and underscores. A column whose heading says another
    unit than that of its property is converted. Other columns are ignored with a note in the log, unless they look
    like a misspelt property.

    Raises:
        DataError: There is no row of headings, a column is there twice or is missing, or a unit cannot be converted.
    """
    headings = content.headings
    _refuse_missing_headings(table, content, properties)
    named = _naming_columns(headings)
    labels: list[Column] = []
    others: list[str] = []
    for position, heading in enumerate(headings):
        if position in named.values():
            continue
        found, unit = _properties_in(heading, properties)
        for prop in found:
            if any(prop is other.property for other in labels):
                raise DataError(f"{table} has two columns for '{prop.key}'.", fix="Keep one of them.")
            labels.append(Column(position, prop, _factor(table, heading, prop, unit)))
        if not found:
            others.append(heading)
    absent = [p for p in properties if all(p is not one.property for one in labels)]
    for heading in others:
        _refuse_misspelt(table, heading, absent)
        if properties:
            log_once(log, table, f"column '{heading}' is no property, and no label is taken from it.")
    if (properties and not labels) or not named:
        names = [(_BRACKETS.fullmatch(one) or {"name": one})["name"] for one in others if named]
        own = f" Define a property of your own with --property 'KEY:UNIT:{names[-1]}'." if names else ""
        raise DataError(
            f"{table} has the headings {', '.join(headings)}.",
            why="It needs a column 'file' or 'id' (or 'cif', with texts), and a column for at least one property.",
            fix=f"Use the headings: file, {', '.join(p.heading for p in properties)}; separate cells by commas.{own}",
        )
    return Columns(named.get("file"), named.get("id"), named.get("text"), named.get("structure"), labels)


def _naming_columns(headings: Sequence[str]) -> dict[str, int]:
    """Return the position of the columns ``file`` and ``id``; of several names for one, the first of ``_NAMES``."""
    positions: dict[str, list[int]] = {}
    for position, heading in enumerate(headings):
        positions.setdefault(squash(heading), []).append(position)
    found = {}
    for key, names in _NAMES.items():
        name = next((name for name in names if name in positions), None)
        if name is None:
            continue
        if len(positions[name]) > 1:
            raise DataError(f"The table has two columns for '{key}'.", fix="Keep one of them.")
        found[key] = positions[name][0]
    return found


def _named(heading: str) -> str | None:
    return next((key for key, names in _NAMES.items() if squash(heading) in names), None)


def _properties_in(heading: str, properties: Sequence[Property]) -> tuple[list[Property], str | None]:
    """Return the properties that a heading names, and the unit that it says; None for the unit where it says none.

    A title names a property where no key and no column is called so.
    """
    for name, unit in _readings(unicodedata.normalize("NFKC", heading).strip()):
        squashed = squash(name)
        found = [p for p in properties if squashed in (squash(p.key), squash(p.column))]
        found = found or [p for p in properties if squashed == squash(p.title)][:1]
        if found:
            return found, _per_atom(squashed, unit)
    return [], None


def _readings(heading: str) -> Iterator[tuple[str, str | None]]:
    """Yield what a heading may mean: a name alone, one with its unit in brackets, or one followed by its unit."""
    yield heading, None
    if bracketed := _BRACKETS.fullmatch(heading):
        yield bracketed["name"], bracketed["square"] if bracketed["square"] is not None else bracketed["round"]
    for gap in _WORD_END.finditer(heading):
        unit = heading[gap.end() :]
        if unit and is_unit(unit):
            yield heading[: gap.start()], unit


def _per_atom(name: str, unit: str | None) -> str | None:
    """Return the unit of a column whose name says that it is per atom, where the unit leaves that out."""
    if unit and name.endswith("peratom") and "at" not in unit.lower():
        return f"{unit}/atom"
    return unit


def squash(name: str) -> str:
    """Return what headings are compared by: letters, digits and percent signs, without case."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in plain if c.isalnum() or c == "%")


def _factor(table: Path, heading: str, prop: Property, unit: str | None) -> float:
    if unit is None or unit.strip() == prop.unit or prop.task == "binary":
        return 1.0
    try:
        factor = conversion_factor(unit, _counted_unit(prop, unit))
    except DataError as error:
        if prop not in PROPERTIES and not prop.unit:
            raise DataError(
                f"{table} has a column '{heading}', but {prop.key} is defined without a unit.",
                why="Its values would be shown without one, and compared with those of other units.",
                fix=f"Define the property with it, --property {prop.key}:{unit.strip()}:{prop.column}, or drop it.",
            ) from error
        raise DataError(
            f"{table} has a column '{heading}', but {prop.title.lower()} has the unit '{prop.unit or 'none'}'.",
            why=f"{error.what} {error.why}",
            fix=error.fix + f" In its own unit the column is called '{prop.heading}'.",
        ) from error
    if factor != 1.0:
        unit = prop.unit or "a number"
        log_once(log, table, f"column '{heading}' is converted to {unit}: times {factor:g}.")
    return factor


def _counted_unit(prop: Property, unit: str) -> str:
    """Return the unit of a property with what its values are counted per, where a heading says that too."""
    said = counted_per(unit)
    return f"{prop.unit}/{said}" if said == prop.per and counted_per(prop.unit) is None else prop.unit


def _refuse_misspelt(table: Path, heading: str, properties: Sequence[Property]) -> None:
    bracketed = _BRACKETS.fullmatch(heading.strip())
    name = (bracketed["name"] if bracketed else heading).strip().lower()
    known = {name: p for p in properties for name in (p.key, p.column)}
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    if nearest:
        unit = known[nearest[0]].unit
        named = f"'{nearest[0]} [UNIT]', with the unit of its values (such as {unit})," if unit else f"'{nearest[0]}'"
        raise DataError(
            f"{table} has a column '{heading}', which is no property.",
            why=f"It is close to '{nearest[0]}'.",
            fix=f"Call it {named} if that is meant, or else remove it.",
        )


def _refuse_missing_headings(table: Path, content: Table, properties: Sequence[Property]) -> None:
    """Refuse a table whose first row is data, as that of CGCNN's and ALIGNN's ``id_prop.csv``."""
    first = content.headings
    if any(is_known_heading(cell, properties) for cell in first):
        return
    if not any(_is_value(cell) for cell in first[1:]):
        _refuse_blanks(table, content, properties)
        return
    names = [p.heading if p.unit else p.key for p in properties[: len(first) - 1]]
    line = content.separator.join(["file" if "." in first[0] else "id", *names])
    raise DataError(
        f"{table} has no row of headings: its first row is '{content.separator.join(first)[:80]}'.",
        why="Tables such as CGCNN's and ALIGNN's id_prop.csv do not say which property their values are.",
        fix=f"Add a first line that does: {line} (properties are {', '.join(p.key for p in properties)}).",
    )


def _refuse_blanks(table: Path, content: Table, properties: Sequence[Property]) -> None:
    words = content.headings[0].split()
    if len(content.headings) == 1 and sum(is_known_heading(word, properties) for word in words) > 1:
        raise DataError(
            f"{table} separates its cells by blanks: '{content.headings[0][:80]}'.",
            why="Blanks are part of a cell.",
            fix="Separate cells by commas, semicolons or tabs.",
        )


def _is_value(cell: str) -> bool:
    try:
        float(cell.strip().replace(",", "."))
    except ValueError:
        return is_missing(cell) and bool(cell.strip())
    return True
