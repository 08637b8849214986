"""Points of the parity plots: a sample of the crystals that depends on their ids alone, the same in every run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phase2.output.visible import shorten
from phase2.runs.records.crystals import CRYSTAL_SYSTEMS, RunCrystals, crystal_system
from phase2.runs.records.predictions import PartPredictions

POINTS = 20_000
"""Points of a report in all: runs, parts and properties share them."""

LEAST, MOST = 50, 3000
"""Points of one plot."""

ALWAYS = 20
"""Largest errors of each property, which are in the sample always."""

LONGEST_ID, SHORT_ID = 120, 48
"""Characters of an id that are shown, and where a page would become too large with these."""

Json = dict[str, Any]


def points_per_plot(plots: int, share: float = 1.0) -> int:
    """Return the points that each of a number of plots gets, of a share of all points."""
    return max(LEAST, min(MOST, int(share * POINTS) // max(1, plots)))


def part_points(
    part: PartPredictions, most: int, crystals: RunCrystals | None = None, *, longest: int = LONGEST_ID
) -> Json:
    """Return the points of one part: crystals as columns, and per property the row of each point and its two values.

    Args:
        part: Predictions and labels.
        most: Points of each property.
        crystals: What is known of the crystals of this part.
        longest: Characters of an id.
    """
    order = _order(part)
    chosen = {prop.key: _rows(part, k, order, most) for k, prop in enumerate(part.properties)}
    rows = sorted({row for _, some in chosen.values() for row in some})
    place = {row: position for position, row in enumerate(rows)}
    return {
        "crystals": _columns(part, rows, crystals, longest),
        "properties": {
            prop.key: {
                "of": of,
                "row": [place[row] for row in some],
                "x": rounded(part.reference[some, k]),
                "y": rounded(part.predicted[some, k]),
            }
            for k, (prop, (of, some)) in enumerate(zip(part.properties, chosen.values(), strict=True))
        },
    }


def rounded(values: NDArray[np.float64]) -> list[float | None]:
    """Round numbers to five significant digits, which no plot shows more of; None for what is not finite."""
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values.tolist()]


def short_id(name: str, longest: int = LONGEST_ID) -> str:
    """Return the id of a crystal, cut where it is longer than any that a reader would compare."""
    return shorten(str(name), longest)


def _order(part: PartPredictions) -> NDArray[np.int64]:
    """Rows in the order of a hash of their ids."""
    hashes = [hashlib.sha256(str(name).encode(errors="replace")).digest() for name in part.ids]
    return np.array(sorted(range(len(hashes)), key=hashes.__getitem__), dtype=np.int64)


def _rows(part: PartPredictions, k: int, order: NDArray[np.int64], most: int) -> tuple[int, list[int]]:
    """Number of labelled crystals, and the rows of those that are drawn."""
    error = np.abs(part.predicted[:, k] - part.reference[:, k])
    labelled = np.isfinite(error)
    sample = order[labelled[order]][:most]
    if len(sample) == labelled.sum():
        return len(sample), np.sort(sample).tolist()
    worst = np.argsort(np.where(labelled, -error, np.inf), kind="stable")[:ALWAYS]
    return int(labelled.sum()), sorted({*sample.tolist(), *worst.tolist()})


def _columns(part: PartPredictions, rows: list[int], crystals: RunCrystals | None, longest: int) -> Json:
    found: Json = {
        "id": [short_id(part.ids[row], longest) for row in rows],
        "formula": [str(part.formulas[row]) for row in rows],
    }
    if crystals is None or len(crystals.atoms) != len(part.ids):
        return found
    systems = [crystal_system(crystals.space_groups[row]) for row in rows]
    found["atoms"] = [crystals.atoms[row] for row in rows]
    found["system"] = [CRYSTAL_SYSTEMS.index(name) if name in CRYSTAL_SYSTEMS else -1 for name in systems]
    if crystals.distances:
        found["distance"] = [crystals.distances[row] for row in rows]
    return found


def sampled(points: Mapping[str, Any]) -> bool:
    """Return whether any plot of a part draws fewer points than there are."""
    return any(len(one["row"]) < one["of"] for one in points["properties"].values())
