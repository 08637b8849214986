"""Numbers of a CSV: decimal commas, and values in another unit than their property's."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from phase2.data.sources.missing import is_missing
from phase2.data.sources.tables.dialect import SEPARATORS
from phase2.errors import DataError

_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_POINT = re.compile(r"[+-]?\d*\.\d*(?:[eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3}){2,}|[+-]?\d{1,3}(?:[,. '\u00a0\u202f]\d{3})+[.,]\d+")


def decimal_comma(table: Path, separator: str, cells: Sequence[str]) -> bool:
    """Tell whether the numbers of a table have a decimal comma.

    They may where cells are separated by another sign, and do where a cell cannot be read otherwise: ``1,5`` and
    ``0,125``, but not ``1,234``.

    Args:
        table: The file, for the message.
        separator: The sign between cells.
        cells: All cells of labels.

    Raises:
        DataError: The cells do not say what a comma means.
    """
    if separator == ",":
        return False
    plain = [text for cell in cells if (text := ascii_minus(cell)) and not is_missing(text)]
    if grouped := [text for text in plain if _GROUPED.fullmatch(text)]:
        raise _ambiguous(table, f"'{grouped[0]}' separates thousands.", "Write numbers without signs between thousands")
    commas = [text for text in plain if _COMMA.fullmatch(text)]
    points = [text for text in plain if _POINT.fullmatch(text) and "." in text]
    if not commas:
        return False
    if points:
        why = f"'{commas[0]}' has a comma, and '{points[0]}' a point."
        raise _ambiguous(table, why, "Write all numbers in one way, best with a decimal point")
    if all(_THOUSANDS.fullmatch(text) for text in commas):
        whole = commas[0].replace(",", "")
        why = f"'{commas[0]}' may be {commas[0].replace(',', '.')} or {whole}."
        raise _ambiguous(table, why, "Write a decimal point, or no sign between thousands")
    return True


def plain_number(cell: str, *, comma: bool, factor: float) -> str:
    """Return a cell as Python writes a number, in the unit of its property; other cells as they are.

    Args:
        cell: The cell.
        comma: Whether its numbers have a decimal comma.
        factor: What they are multiplied by.
    """
    text = ascii_minus(cell)
    if comma and _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    if factor == 1.0 or "_" in text:
        return text
    try:
        value = float(text) * factor
    except ValueError:
        return text
    return repr(value) if math.isfinite(value) else text


def ascii_minus(cell: str) -> str:
    """Return a cell without surrounding blanks, with the minus sign of typography as that of programs."""
    return cell.strip().replace("\u2212", "-")


def uses_new_words(cells: Iterable[str], first_words: Iterable[str]) -> bool:
    """Tell whether a cell is read otherwise than by version 0.1.0."""
    known = frozenset(first_words)
    return any(
        (is_missing(cell) and cell.strip().lower() not in known) or ascii_minus(cell) != cell.strip() for cell in cells
    )


def _ambiguous(table: Path, why: str, fix: str) -> DataError:
    others = ", ".join(name for sign, name in SEPARATORS.items() if sign != ",")
    return DataError(
        f"The numbers of {table} have no one meaning.",
        why=f"{why} (A comma may be a decimal comma where cells are separated by {others}.)",
        fix=f"{fix}.",
    )
