"""Errors of the test crystals by what they are: element, crystal system, atoms, distance from the training crystals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phase2.runs.records.crystals import CRYSTAL_SYSTEMS, RunCrystals, crystal_system
from phase2.runs.records.predictions import PartPredictions
from phase2.runs.report.html.periodic_table import NUMBERS
from phase2.runs.report.html.points import rounded

ALL = "all"
"""Key of the errors of all properties together, each in units of the median's error."""

ATOM_LIMITS = (1, 2, 4, 8, 16, 32, 64)
TENTHS = 10
BINS = 41

Group = tuple[str, float, int]
"""Name of a group, its mean absolute error, its labels."""

Errors = NDArray[np.float64]


def error_groups(
    part: PartPredictions, crystals: RunCrystals | None, medians: dict[str, float]
) -> dict[str, dict[str, Any]]:
    """Return for each property, and for all together, the errors by group and their distribution.

    Args:
        part: Predictions for the test part.
        crystals: What is known of its crystals.
        medians: Test MAE of the median by property.
    """
    known = crystals if crystals is not None and len(crystals.atoms) == len(part.ids) else None
    signed = part.predicted - part.reference
    found = {}
    for k, prop in enumerate(part.properties):
        found[prop.key] = {**_groups(np.abs(signed[:, k]), part, known), "distribution": _distribution(signed[:, k])}
    relative = _relative(np.abs(signed), part, medians)
    return {ALL: {**_groups(relative, part, known), "distribution": _distribution(relative, signed=False)}, **found}


def _relative(errors: Errors, part: PartPredictions, medians: dict[str, float]) -> Errors:
    """Mean over the labelled properties of each crystal of error / error of the median, (B,); NaN without any."""
    scale = np.array([medians.get(prop.key, np.nan) for prop in part.properties])
    ratios = errors / scale
    labelled = np.isfinite(ratios)
    total: Errors = np.where(labelled, ratios, 0).sum(axis=1)
    counts = labelled.sum(axis=1)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


def _groups(errors: Errors, part: PartPredictions, crystals: RunCrystals | None) -> dict[str, Any]:
    found: dict[str, Any] = {"elements": _by_element(errors, part)}
    if crystals is None:
        return found
    systems = np.array([crystal_system(number) for number in crystals.space_groups])
    found["system"] = list(_named(errors, systems, CRYSTAL_SYSTEMS))
    found["atoms"] = list(_by_atoms(errors, np.array(crystals.atoms)))
    if crystals.distances:
        found["distance"] = list(_by_distance(errors, np.array(crystals.distances)))
    seen = np.zeros(len(part.ids), dtype=bool)
    seen[[row for row in crystals.test_seen if row < len(seen)]] = True
    names = np.where(seen, "composition in training", "new composition")
    found["seen"] = list(_named(errors, names, ("composition in training", "new composition")))
    return found


def _by_element(errors: Errors, part: PartPredictions) -> dict[str, tuple[float, int]]:
    """Mean error and number of labels of the crystals that hold an element, by its symbol."""
    sums: dict[str, list[float]] = {}
    for formula, error in zip(part.formulas, errors.tolist(), strict=True):
        if np.isfinite(error):
            for symbol in elements_of(formula):
                total = sums.setdefault(symbol, [0.0, 0])
                total[0] += error
                total[1] += 1
    return {symbol: (float(f"{total / count:.4g}"), int(count)) for symbol, (total, count) in sums.items()}


def elements_of(formula: str) -> set[str]:
    """Return the elements of a formula.

    Example:
        >>> sorted(elements_of("Fe2O3"))
        ['Fe', 'O']
    """
    return {symbol for symbol in re.findall(r"[A-Z][a-z]?", str(formula)) if symbol in NUMBERS}


def _named(errors: Errors, names: NDArray[np.str_], order: tuple[str, ...]) -> Iterator[Group]:
    for name in order:
        yield from _group(name, errors[names == name])


def _by_atoms(errors: Errors, atoms: NDArray[np.int64]) -> Iterator[Group]:
    for name, low, high in sizes():
        yield from _group(name, errors[(atoms >= low) & ((atoms <= high) if high else True)])


def sizes() -> Iterator[tuple[str, int, int | None]]:
    """Yield the groups of cells by size: name, least and most atoms; None for no most."""
    low = 1
    for high in (*ATOM_LIMITS, None):
        yield f"more than {low - 1}" if high is None else f"{low}" if low == high else f"{low} to {high}", low, high
        low = (high or 0) + 1


def _by_distance(errors: Errors, distances: Errors) -> Iterator[Group]:
    """Tenths of the labelled crystals, the nearest first."""
    labelled = np.flatnonzero(np.isfinite(errors))
    order = labelled[np.argsort(distances[labelled], kind="stable")]
    for some in np.array_split(order, min(TENTHS, max(1, len(order) // 3))):
        if len(some):
            yield from _group(f"{distances[some].min():.2f} to {distances[some].max():.2f}", errors[some])


def _group(name: str, errors: Errors) -> Iterator[Group]:
    known = errors[np.isfinite(errors)]
    if len(known):
        yield name, float(f"{known.mean():.4g}"), len(known)


def _distribution(errors: Errors, *, signed: bool = True) -> dict[str, Any] | None:
    """Histogram of errors, quantiles of their size, and their mean; None without any.

    Args:
        errors: The errors; NaN where a label is missing.
        signed: Whether the histogram has negative errors, too.
    """
    known = errors[np.isfinite(errors)]
    if not len(known):
        return None
    size = np.abs(known)
    reach = float(np.quantile(size, 0.99)) or 1e-9
    low = -reach if signed else 0.0
    counts, edges = np.histogram(np.clip(known, low, reach), bins=BINS, range=(low, reach))
    quantiles = np.array([np.median(size), np.quantile(size, 0.9), size.max(), known.mean()])
    return {
        "centers": rounded((edges[1:] + edges[:-1]) / 2),
        "width": float(f"{edges[1] - edges[0]:.5g}"),
        "counts": counts.tolist(),
        "quantiles": rounded(quantiles),
    }
