"""Interface of a data source: raw records, parsed into labelled crystals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.shown import shown
from phase2.data.sources.missing import is_missing
from phase2.errors import InvalidCrystalError, LimitExceededError
from phase2.properties import PROPERTIES, Property

_LARGEST = float(np.finfo(np.float32).max)  # graphs keep their labels as float32
_TOO_LARGE = math.nextafter(math.inf, 0.0)  # in place of any finite number beyond the range of float64
_INFINITIES = (math.inf, -math.inf)


@dataclass(frozen=True, slots=True)
class RawRecord:
    """Record of a data set before parsing: cheap to create and to send to another process.

    Attributes:
        id: Name of the crystal.
        content: Input of the source's ``parse``.
        defect: Why the record is rejected whatever its content, "" for none.
        limit: Whether the defect is that the record exceeds a limit of reading.
    """

    id: str
    content: object
    defect: str = ""
    limit: bool = False

    def check(self) -> None:
        """Reject the record if it has a defect.

        Raises:
            InvalidCrystalError: It has one.
        """
        if self.limit:
            raise LimitExceededError(f"Record '{self.id}' exceeds a limit:", why=self.defect)
        if self.defect:
            raise InvalidCrystalError(
                f"Record '{self.id}' is invalid:", why=self.defect, fix="Correct or remove this record."
            )


@dataclass(frozen=True, slots=True, eq=False)
class LabelledCrystal:
    """Crystal with its labels.

    Attributes:
        crystal: The structure.
        targets: Labels of the K properties of the source, in their order and units, shape (K,), float64; NaN where
            missing.
    """

    crystal: Crystal
    targets: NDArray[np.float64]


def escape_unprintable(name: str) -> str:
    """Escape what a text file cannot hold (lone surrogates) and what ends a string in numpy (zero characters)."""
    return name.encode(errors="backslashreplace").decode().replace("\0", "\\x00")


def bounded_name(raw: RawRecord, limits: ReadingLimits) -> RawRecord:
    """Return a record unless its name is too long: arrays of names are as wide as the longest of them."""
    if len(raw.id) <= limits.name_length:
        return raw
    error = limits.exceeded("name_length", "It", f"Its name has {len(raw.id):,} characters")
    return RawRecord(f"{raw.id[:40]}...", None, defect=f"{error.why} {error.fix}", limit=True)


class Source(Protocol):
    """Data set that is read record by record: ``records`` runs once, in the main process, ``parse`` in the workers.

    To add one, write a class with these six members in a module of its own, and return it in ``open_source``.
    """

    @property
    def isolated(self) -> bool:
        """Whether ``parse`` hands files to a library, whose time and memory are limited in a reader process."""

    @property
    def name(self) -> str:
        """Name or path that the data set was requested by."""

    @property
    def properties(self) -> Sequence[Property]:
        """The properties whose labels are read: ``PROPERTIES``, and those that a run defines."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the content, hexadecimal: equal fingerprints mean equal records."""

    def records(self) -> Iterator[RawRecord]:
        """Yield the raw records in the order of the file."""

    def parse(self, raw: RawRecord) -> LabelledCrystal:
        """Turn one record into a labelled crystal.

        Raises:
            InvalidCrystalError: The record is no valid crystal or a label is no number.
        """


class PathSource:
    """Begin of a source that is a file or folder of this machine.

    Args:
        path: The file or folder.
        limits: Limits of reading.
        properties: The properties whose labels are read.
    """

    def __init__(
        self, path: Path, limits: ReadingLimits = DEFAULT_LIMITS, properties: Sequence[Property] = PROPERTIES
    ) -> None:
        self.path = path
        self.limits = limits
        self.properties = tuple(properties)

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)


def read_labels(
    record: Mapping[str, object], crystal_id: str, properties: Sequence[Property] = PROPERTIES
) -> NDArray[np.float64]:
    """Read the labels of a record by their columns or, failing those, by their keys.

    These count as missing: an absent column, null, the words of :func:`is_missing`, NaN and the infinities.

    Returns:
        Labels in the order of ``properties``, shape (K,), float64; NaN where missing.

    Raises:
        InvalidCrystalError: A label is a truth value, text that is no number, a list, or a number beyond the range of
            float32.
    """
    values = (record.get(p.column, record.get(p.key)) for p in properties)
    return np.array([read_label(value, p, crystal_id) for value, p in zip(values, properties, strict=True)])


def read_label(value: object, prop: Property, crystal_id: str) -> float:
    """Read one label; NaN where it is missing.

    Raises:
        InvalidCrystalError: It is neither a number nor a word for a missing one, or beyond the range of float32.
    """
    if value is None:
        return math.nan
    if prop.task == "binary":
        return _read_truth(value, prop, crystal_id)
    if isinstance(value, str):
        if is_missing(value):
            return math.nan
        number = _number_in(value)
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        number = None
    else:
        number = _as_float(value)
    if number is not None and math.isfinite(number) and abs(number) > _LARGEST:
        raise InvalidCrystalError(
            f"Record '{crystal_id}' has {prop.column} = {shown(value)}.",
            why=f"No label is larger than {_LARGEST:.2g}.",
            fix=_CORRECT,
        )
    if number is None:
        raise InvalidCrystalError(
            f"Record '{crystal_id}' has {prop.column} = {shown(value)}.",
            why=meaning_of(prop),
            fix=mending_of(prop, value, _CORRECT),
        )
    return number if math.isfinite(number) else math.nan


def meaning_of(prop: Property) -> str:
    """Say what the labels of a property are."""
    if prop.task == "binary":
        return f"The property {prop.key} is binary: true or false, yes or no, 1 or 0."
    return f"The {prop.title.lower()} is a number" + (f" in {prop.unit}." if prop.unit else ".")


def mending_of(prop: Property, value: object, otherwise: str) -> str:
    """Say how to mend a label that is none: of a regression that has truth values, by another definition."""
    if prop.task == "binary" or prop in PROPERTIES or str(value).strip().lower() not in _TRUTH:
        return otherwise
    return f"Define the property as true or false: {{key: {prop.key}, column: {prop.column}, task: binary}}."


_CORRECT = "Correct it, or leave it empty where it is not known."
_TRUTH = {"true": 1.0, "yes": 1.0, "1": 1.0, "1.0": 1.0, "false": 0.0, "no": 0.0, "0": 0.0, "0.0": 0.0}


def _read_truth(value: object, prop: Property, crystal_id: str) -> float:
    word = str(value).strip().lower()
    if is_missing(word):
        return math.nan
    if word not in _TRUTH:
        raise InvalidCrystalError(
            f"Record '{crystal_id}' has {prop.column} = {shown(value)}.",
            why=meaning_of(prop),
            fix=_CORRECT,
        )
    return _TRUTH[word]


def _number_in(text: str) -> float | None:
    try:
        # Only Python reads "1_000" as a number; in a table it is a typing error.
        number = None if "_" in text else float(text)
    except ValueError:
        return None
    # Digits that overflow to infinity, such as 1e999, are a number that is too large, not a missing one.
    return _TOO_LARGE if number in _INFINITIES and "inf" not in text.lower() else number


def _as_float(value: float | Decimal) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number beyond the range of float64
        return _TOO_LARGE
