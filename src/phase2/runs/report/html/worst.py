"""The worst predictions of a run, and the structures of their crystals."""

from __future__ import annotations

from typing import Any

import numpy as np

from phase2.output.visible import visible
from phase2.runs.records.crystals import RecordedStructure, RunCrystals, crystal_system
from phase2.runs.records.predictions import PartPredictions
from phase2.runs.report.html.periodic_table import SYMBOLS
from phase2.runs.report.html.points import LONGEST_ID, short_id

SHOWN = 20

MOST_ATOMS = 6000
"""Atoms of all structures of a report; runs share them."""

Json = dict[str, Any]


def worst_predictions(
    part: PartPredictions, crystals: RunCrystals | None, medians: dict[str, float], *, longest: int = LONGEST_ID
) -> list[Json]:
    """Return the twenty largest errors of each property, those that are largest beside the median's error first.

    Args:
        part: Predictions for the test part.
        crystals: What is known of its crystals.
        medians: Test MAE of the median by property.
        longest: Characters of an id.
    """
    found: list[Json] = []
    for k, prop in enumerate(part.properties):
        error = np.abs(part.predicted[:, k] - part.reference[:, k])
        order = np.argsort(np.where(np.isfinite(error), -error, np.inf), kind="stable")[:SHOWN]
        scale = medians.get(prop.key, np.inf)
        found += [
            _entry(part, row, k, error[row] / scale, longest) | _known(crystals, row)
            for row in order.tolist()
            if np.isfinite(error[row])
        ]
    return sorted(found, key=lambda entry: -entry["times"])


def drawn_structures(entries: list[Json], crystals: RunCrystals | None, most: int = MOST_ATOMS) -> list[Json]:
    """Return the structures of the worst predictions for the viewer, and number them in the entries.

    Args:
        entries: The predictions, the worst first; each gets the number of its ``structure``, or None, and loses the
            ``name`` that it is found by, its whole id.
        crystals: What is known of the test crystals.
        most: Atoms of all structures.
    """
    # As in the table of predictions, whose ids show hidden characters.
    recorded = {visible(one.id): one for one in crystals.structures} if crystals else {}
    places: dict[str, int] = {}
    drawn: list[Json] = []
    atoms = 0
    for entry in entries:
        name = entry.pop("name")
        one = recorded.get(name)
        if one is not None and name not in places and atoms + len(one.species) <= most:
            places[name] = len(drawn)
            drawn.append(_structure(one, entry["id"]))
            atoms += len(one.species)
        entry["structure"] = places.get(name)
    return drawn


def _entry(part: PartPredictions, row: int, k: int, times: float, longest: int) -> Json:
    return {
        "name": str(part.ids[row]),
        "id": short_id(part.ids[row], longest),
        "formula": str(part.formulas[row]),
        "key": part.properties[k].key,
        "reference": float(f"{part.reference[row, k]:.5g}"),
        "predicted": float(f"{part.predicted[row, k]:.5g}"),
        "times": float(f"{times:.3g}"),
    }


def _known(crystals: RunCrystals | None, row: int) -> Json:
    if crystals is None or row >= len(crystals.atoms):
        return {}
    found: Json = {"atoms": crystals.atoms[row], "group": crystals.space_groups[row]}
    found["system"] = crystal_system(crystals.space_groups[row])
    if row < len(crystals.distances):
        found["distance"] = crystals.distances[row]
    return found


def _structure(one: RecordedStructure, name: str) -> Json:
    return {
        "id": name,
        "lattice": one.lattice,
        "symbols": [SYMBOLS[number - 1] for number in one.species],
        "positions": one.positions,
    }
