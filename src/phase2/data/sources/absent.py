"""Columns that a data set lacks of what a run defines, and those that it has beside its labels."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from phase2.config.schema import DataConfig
from phase2.data.crystals.shown import cut
from phase2.data.sources.base import Source
from phase2.data.sources.known_columns import KNOWN_COLUMNS
from phase2.data.sources.tables.headings import is_known_heading
from phase2.data.sources.tables.source import TableSource
from phase2.errors import DataError
from phase2.properties import Property

_SHOWN = 8
_LONGEST = 60


@runtime_checkable
class NamesColumns(Protocol):
    """Source that can tell which columns its records have, whether or not they are labels."""

    def column_names(self) -> Sequence[str]:
        """Return the names of the columns, of the first records where they may differ."""


def refuse_absent_columns(
    config: DataConfig, requested: Sequence[Property], labels: NDArray[np.float64], open_source: Callable[[], Source]
) -> None:
    """Refuse a property that a run defines and no record has a label of, with the nearest column.

    Args:
        config: The data set.
        requested: P properties.
        labels: Their labels, (B, P), NaN where missing.
        open_source: Opens the source once more, where its columns are to be named.

    Raises:
        DataError: There is such a property.
    """
    own = {p.key for p in config.own}
    for prop, column in zip(requested, labels.T, strict=True):
        if prop.key in own and np.isnan(column).all():
            raise _absent(config, prop, open_source())


def unread_columns(source: Source) -> str:
    """Name the first columns of a data set that hold neither names nor labels of its properties; "" for none."""
    names = list(source.column_names()) if isinstance(source, NamesColumns) else []
    if isinstance(source, TableSource):
        unread = [cut(name, _LONGEST) for name in names if not is_known_heading(name, source.properties)]
    else:
        known = {known.column.partition(".")[0] for known in KNOWN_COLUMNS}
        known |= {name for prop in source.properties for name in (prop.key, prop.column)}
        unread = [cut(name, _LONGEST) for name in names if name not in known]
    more = f" and {len(unread) - _SHOWN} more" if len(unread) > _SHOWN else ""
    return ", ".join(unread[:_SHOWN]) + more


def _absent(config: DataConfig, prop: Property, source: Source) -> DataError:
    names = list(source.column_names()) if isinstance(source, NamesColumns) else []
    what = f"No record of '{config.source}' has a label of the property '{prop.key}'."
    if {prop.column, prop.key} & set(names):
        return DataError(
            what, why=f"Its column '{prop.column}' is empty.", fix="Fill it in, or leave the property out."
        )
    lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(prop.column.lower(), lower, n=1, cutoff=0.6)
    nearest = lower[near[0]] if near else ""
    listed = f" It has {', '.join(names[:20])}." if names else ""
    return DataError(
        what,
        why=f"There is no column '{prop.column}', and none '{prop.key}'." + ("" if nearest else listed),
        fix=f"Did you mean the column '{nearest}'? Write it into the definition of the property."
        if nearest
        else "Name the column in the definition of the property.",
    )
