"""Labels beyond reason: what is remarked, and words for a missing value that are refused as numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phase2.errors import DataError
from phase2.output.wording import counted
from phase2.properties import KEYS, Property, believed_range

REPEATED = 3
"""Times that a value occurs before it is taken for a word; a calculation fails with another number each time."""

_NINES = frozenset(float(np.float32(10**k - 1)) for k in range(2, 13))
_NINES_SORTED = np.array(sorted(_NINES))
_HUGE = 1e9
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Sentinel:
    """Number that a data base writes in place of a missing value.

    Attributes:
        property: The property.
        value: The number.
        count: How many labels have it.
        first: Id of the first crystal that has it.
    """

    property: Property
    value: float
    count: int
    first: str

    def __str__(self) -> str:
        are = "is" if self.count == 1 else "are"
        return f"{counted(self.count, 'label')} of {self.property.key} {are} {self.value:g}"


def label_remarks(targets: NDArray[np.floating], properties: Sequence[Property], ids: NDArray[np.str_]) -> list[str]:
    """Remark on labels that are hardly right, one sentence for each property that has any.

    Args:
        targets: Labels of B crystals, (B, P), in the units of the properties, NaN where missing.
        properties: The P properties.
        ids: Names of the crystals, (B,).
    """
    return [remark for k, prop in enumerate(properties) if (remark := _remark(targets[:, k], prop, ids))]


def find_sentinels(
    targets: NDArray[np.floating], properties: Sequence[Property], ids: NDArray[np.str_]
) -> list[Sentinel]:
    """Find labels that stand for a missing value: -1, -999, 9999, -1e30.

    A negative number of nines counts from the first one on where the property cannot be negative. Other whole numbers
    that are beyond reason count where they occur three times: failed calculations do not end with the same one.

    Args:
        targets: Labels of B crystals, (B, P), in the units of the properties, NaN where missing.
        properties: The P properties.
        ids: Names of the crystals, (B,).
    """
    return [one for k, prop in enumerate(properties) for one in _sentinels(targets[:, k], prop, ids)]


def refuse_sentinels(targets: NDArray[np.floating], properties: Sequence[Property], ids: NDArray[np.str_]) -> None:
    """Refuse labels that stand for a missing value: a network would learn them.

    Raises:
        DataError: There are some.
    """
    found = find_sentinels(targets, properties, ids)
    if found:
        raise DataError(
            f"{'; '.join(map(str, found))}, such as that of '{found[0].first}'.",
            why="The number stands for a missing value, and would be learned and tested as one.",
            fix="Leave these cells empty, or write null or n/a; the other labels of these crystals stay."
            + _bounds_instead(found[0].property),
        )


def _bounds_instead(prop: Property) -> str:
    return "" if prop.key in KEYS else f" If they are right, give {prop.key} bounds that include them."


def _remark(column: NDArray[np.floating], prop: Property, ids: NDArray[np.str_]) -> str:
    low, high = believed_range(prop)
    known = np.flatnonzero(~np.isnan(column))
    odd = known[(column[known] < low) | (column[known] > high)]
    if not len(odd):
        return ""
    worst = odd[np.argsort(-np.abs(column[odd]), kind="stable")][:_SHOWN]
    shown = ", ".join(f"{column[k]:g} ({ids[k]})" for k in worst)
    more = f" and {len(odd) - _SHOWN:,} more" if len(odd) > _SHOWN else ""
    unit = f" {prop.unit}" if prop.unit else ""
    remark = (
        f"{prop.key}: {len(odd):,} of {len(known):,} labels are beyond reason, "
        f"outside of {low:g} to {high:g}{unit}: {shown}{more}."
    )
    if prop.unit and 2 * len(odd) > len(known):
        remark += f" Another unit? The heading of a column says it, such as {prop.key} [m{prop.unit}]."
    return remark


def _sentinels(column: NDArray[np.floating], prop: Property, ids: NDArray[np.str_]) -> list[Sentinel]:
    low, high = _range_without_words(column, prop)
    odd = np.flatnonzero((column < low) | (column > high) | ((column < 0) & prop.non_negative))
    values, first, counts = np.unique(column[odd], return_index=True, return_counts=True)
    return [
        Sentinel(prop, float(value), int(count), str(ids[odd[at]]))
        for value, at, count in zip(values, first, counts, strict=True)
        if _is_word(float(value), int(count), prop)
    ]


def _range_without_words(column: NDArray[np.floating], prop: Property) -> tuple[float, float]:
    """Return the range that is believed; where a property has no bound, it is a span beyond all that are no words."""
    low, high = believed_range(prop)
    plain = column[np.isfinite(column) & ~np.isin(np.abs(column), _NINES_SORTED) & (np.abs(column) < _HUGE)]
    if (math.isfinite(low) and math.isfinite(high)) or not len(plain) or prop.task == "binary":
        return low, high
    least, most = float(plain.min()), float(plain.max())
    return max(low, 2 * least - most), min(high, 2 * most - least)


def _is_word(value: float, count: int, prop: Property) -> bool:
    nines = abs(value) in _NINES
    if nines and value < 0 and prop.non_negative:
        return True
    if count < REPEATED:
        return False
    whole_below_zero = value < 0 and value.is_integer() and prop.non_negative
    return nines or whole_below_zero or abs(value) >= _HUGE
