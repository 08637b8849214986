"""Labels whose spread makes them unfit to learn: all equal, far from all others, or closer than they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from phase2.data.targets import OUTLIER_SIGMAS
from phase2.data.transforms import to_learned
from phase2.properties import KEYS, Property

FAR = 30.0
"""Distance from the median, in widths of the middle half of the labels, from which one is far: of a normal
distribution it is 40 standard deviations."""

COARSE = 1e-3
"""Step between numbers of float32, in widths of the middle half of the labels, from which it is remarked on."""

_FEWEST = 10
_SHOWN = 3


def spread_remarks(
    targets: NDArray[np.floating], properties: Sequence[Property], ids: NDArray[np.str_], *, what: str = "labels"
) -> list[str]:
    """Remark on the spread of labels, one sentence each.

    Labels that are far or close are those of properties that a run defines: of the nine it is known what is likely.

    Args:
        targets: Labels of B crystals, (B, P), in the units of the properties, NaN where missing.
        properties: The P properties.
        ids: Names of the crystals, (B,).
        what: What the labels are called, in the plural.
    """
    return [one for k, prop in enumerate(properties) for one in _remarks(targets[:, k], prop, ids, what)]


def unlearned_remarks(
    targets: NDArray[np.floating],
    learned: NDArray[np.bool_],
    properties: Sequence[Property],
    ids: NDArray[np.str_],
) -> list[str]:
    """Remark on training labels that are left out of the training, one sentence for each property that has any.

    Args:
        targets: Labels of B training crystals, (B, P), in the units of the properties, NaN where missing.
        learned: Which of them are learned, (B, P): :meth:`phase2.data.targets.TargetScaler.training_mask`.
        properties: The P properties.
        ids: Names of the crystals, (B,).
    """
    found = []
    for k, prop in enumerate(properties):
        column, present = targets[:, k], np.isfinite(targets[:, k])
        odd = np.flatnonzero(present & ~learned[:, k])
        if len(odd):
            worst = odd[np.argsort(-np.abs(column[odd] - np.median(column[present])), kind="stable")]
            found.append(
                f"{prop.key}: {len(odd):,} of {present.sum():,} training labels lie more than {OUTLIER_SIGMAS:g} "
                f"robust standard deviations from the median, and are not learned: {_listed(column, worst, ids)}."
            )
    return found


def _remarks(column: NDArray[np.floating], prop: Property, ids: NDArray[np.str_], what: str) -> Iterator[str]:
    known = np.flatnonzero(np.isfinite(column))
    values = np.asarray(column[known], dtype=np.float64)
    if len(values) > 1 and (values == values[0]).all():
        only = f"{values[0]:g}" if prop.task != "binary" else "true" if values[0] else "false"
        yield f"{prop.key}: all {len(values):,} {what} are {only}: nothing is learned from them, and no error tells."
        return
    if prop.key in KEYS or prop.task == "binary" or len(values) < _FEWEST:
        return
    learned = to_learned(values, prop)
    low, middle, high = np.quantile(learned, (0.25, 0.5, 0.75)).tolist()
    if high > low:
        yield from _far(values, (learned - middle) / (high - low), prop, ids[known])
    width = float(np.subtract(*np.quantile(values, (0.75, 0.25))))
    step = float(np.median(np.spacing(np.abs(values).astype(np.float32))))
    if step > COARSE * width > 0:
        yield (
            f"{prop.key}: labels are kept with about seven digits, here in steps of {step:.1g}, and the middle half of "
            f"them is {width:.2g} wide: subtract a reference value from them."
        )


def _far(
    values: NDArray[np.float64], place: NDArray[np.float64], prop: Property, ids: NDArray[np.str_]
) -> Iterator[str]:
    """Remark on labels beyond the sides that have no bound."""
    odd = ((place < -FAR) & (prop.lower is None)) | ((place > FAR) & (prop.upper is None))
    worst = np.flatnonzero(odd)[np.argsort(-np.abs(place[odd]), kind="stable")]
    if not len(worst):
        return
    advice = " Values of several orders of magnitude need log1p or asinh." if prop.transform == "none" else ""
    shown = _listed(values, worst, ids)
    yield f"{prop.key}: {odd.sum():,} of {len(values):,} labels are far from the others: {shown}.{advice}"


def _listed(values: NDArray[np.floating], rows: NDArray[np.int64], ids: NDArray[np.str_]) -> str:
    """Name the first of these labels, with their crystals, and count the others."""
    more = f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
    return ", ".join(f"{values[k]:g} ({ids[k]})" for k in rows[:_SHOWN].tolist()) + more
