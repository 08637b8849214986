"""Columns of other names that hold the labels which a model is judged by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phase2.config.data.own_properties import PropertyDefinition
from phase2.config.schema import DataConfig
from phase2.data.sources.absent import NamesColumns
from phase2.data.stored.opening import open_data_set
from phase2.errors import DataError, RequestError, UnknownNameError
from phase2.properties import Property
from phase2.storage.base import Store
from phase2.units import conversion_factor

_SHOWN = 20
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """A column with the labels of a property.

    Attributes:
        key: The property of the model.
        unit: Unit of the column; empty for the unit of the property.
        column: Name of the column.
    """

    key: str
    unit: str
    column: str

    @classmethod
    def parse(cls, text: str) -> LabelColumn:
        """Parse ``key:unit:column``.

        Raises:
            RequestError: It has another form.

        Example:
            >>> LabelColumn.parse("band_gap:meV:Eg"), LabelColumn.parse("band_gap::Eg").unit
            (LabelColumn(key='band_gap', unit='meV', column='Eg'), '')
        """
        parts = [part.strip() for part in text.split(":", 2)]
        if len(parts) < 3 or not (parts[0] and parts[2]) or text.lstrip()[:1] in ("{", "["):
            raise RequestError(
                f"--property {text} names no column.",
                why="With a model it says which column of --data has the labels of one of its properties.",
                fix="Write KEY:UNIT:COLUMN, such as band_gap:eV:Eg.",
            )
        return cls(*parts)


def columns_by_key(columns: Iterable[LabelColumn], properties: Sequence[Property]) -> dict[str, LabelColumn]:
    """Return the columns by the property of a model that each is for.

    Raises:
        RequestError: A property has two columns.
        UnknownNameError: The model has no such property.
        DataError: The unit of a column cannot be converted to that of the property.
    """
    known = {p.key: p for p in properties}
    found: dict[str, LabelColumn] = {}
    for one in columns:
        if one.key not in known:
            raise UnknownNameError.of("property of the model", one.key, list(known))
        if one.key in found:
            raise RequestError(f"--property names two columns for {one.key}.", fix="Name one.")
        _factor(one, known[one.key])
        found[one.key] = one
    return found


def with_columns(config: DataConfig, columns: Mapping[str, LabelColumn], properties: Sequence[Property]) -> DataConfig:
    """Return settings that read these columns as well, each as a property of its own."""
    kinds = {p.key: p for p in properties}
    definitions = [
        PropertyDefinition(
            key=_own_key(one.key), unit=one.unit or kinds[one.key].unit, column=one.column, task=kinds[one.key].task
        )
        for one in columns.values()
    ]
    return config.model_copy(update={"own_properties": (*config.own_properties, *definitions)})


def labels_of(
    config: DataConfig,
    columns: Mapping[str, LabelColumn],
    properties: Sequence[Property],
    targets: NDArray[np.floating],
    stored_in: Store | None,
) -> NDArray[np.float64]:
    """Return the labels of properties, (B, P) float64, in their units, each from its column.

    Args:
        config: Settings of :func:`with_columns`.
        columns: Columns by property; the others are read by their own names.
        properties: P properties.
        targets: Labels of all properties of the settings, (B, K).
        stored_in: Store that has the data set, if it is one of a store.

    Raises:
        DataError: A column is not there, or is empty.
    """
    known = [p.key for p in config.properties]
    found = []
    for prop in properties:
        one = columns.get(prop.key)
        if one is None:
            found.append(np.asarray(targets[:, known.index(prop.key)], dtype=np.float64))
            continue
        labels = targets[:, known.index(_own_key(prop.key))]
        if not np.isfinite(labels).any():
            raise _empty(config, one, stored_in)
        found.append(np.asarray(labels, dtype=np.float64) * _factor(one, prop))
    return np.stack(found, axis=1)


def _own_key(key: str) -> str:
    """Return the key under which a column is read: no model has it, and no table has a column of this name."""
    return f"labels_of_{key}"[:_LONGEST]


def _factor(one: LabelColumn, prop: Property) -> float:
    return conversion_factor(one.unit, prop.unit) if one.unit and prop.task != "binary" else 1.0


def _empty(config: DataConfig, one: LabelColumn, stored_in: Store | None) -> DataError:
    source = open_data_set(config.source, config.limits, config.properties, store=stored_in)
    names = list(source.column_names()) if isinstance(source, NamesColumns) else []
    shown = f"Its columns are {', '.join(names[:_SHOWN])}." if names else "No record has a value in it."
    return DataError(
        f"'{config.source}' has no labels in a column '{one.column}'.",
        why=shown,
        fix="Check --property KEY:UNIT:COLUMN.",
    )
