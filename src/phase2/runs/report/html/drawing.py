"""Data that the scripts of the report draw: points, curves, groups, labels, structures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from phase2.runs.records.crystals import CRYSTAL_SYSTEMS, RunCrystals
from phase2.runs.records.history import EpochRow
from phase2.runs.report.html.errors import median_errors
from phase2.runs.report.html.groups import error_groups
from phase2.runs.report.html.inputs import RunInput
from phase2.runs.report.html.points import LONGEST_ID, part_points
from phase2.runs.report.html.worst import drawn_structures, worst_predictions

Json = dict[str, Any]

PARTS = ("test", "val")
SYSTEMS = CRYSTAL_SYSTEMS


EPOCHS = 500
"""Epochs of a curve that are drawn; of more, evenly chosen ones with the best and the last."""


def run_data(run: RunInput, most: int, atoms: int, epochs: int = EPOCHS, *, longest: int = LONGEST_ID) -> Json:
    """Return what is drawn of a run.

    Args:
        run: The run.
        most: Points of each parity plot.
        atoms: Atoms of all its structures.
        epochs: Epochs of its curves.
        longest: Characters of an id of a crystal.
    """
    medians = median_errors(run)
    best = run.manifest.best_epoch if run.manifest else None
    worst = worst_predictions(run.test, run.crystals, medians, longest=longest) if run.test else []
    return {
        "id": run.run_id,
        "algorithm": run.config.algorithm,
        "points": _points(run, most, longest),
        "errors": error_groups(run.test, run.crystals, medians) if run.test else {},
        "curves": curves(drawn_epochs(run.history, best, epochs)),
        "best": best,
        "resumed": _resumed(run),
        "labels": _labels(run.crystals),
        "intervals": _intervals(run),
        "structures": drawn_structures(worst, run.crystals, atoms),
        "worst": worst,
    }


def drawn_epochs(history: Sequence[EpochRow], best: int | None, most: int = EPOCHS) -> tuple[EpochRow, ...]:
    """Return the epochs of a curve that are drawn."""
    if len(history) <= most:
        return tuple(history)
    step = -(-len(history) // most)
    return tuple(row for row in history if row.epoch % step == 1 or row.epoch in (best, len(history)))


def curves(history: tuple[EpochRow, ...]) -> Json:
    """Return the history by columns."""
    keys = list(dict.fromkeys(key for row in history for key in row.val_errors))
    columns = ("epoch", "lr", "train_loss", "val_loss", "val_score", "seconds", "structures_per_second", "data_wait")
    found: Json = {name: [_short(getattr(row, name)) for row in history] for name in columns}
    found["val_mae"] = {key: [_short(row.val_errors.get(key)) for row in history] for key in keys}
    return found


def _points(run: RunInput, most: int, longest: int) -> Json:
    parts = {"test": (run.test, run.crystals), "val": (run.val, None)}
    return {
        name: part_points(part, most, known, longest=longest)
        for name, (part, known) in parts.items()
        if part is not None
    }


def _resumed(run: RunInput) -> list[int]:
    """Epochs from which the run was resumed."""
    words = [one.resumed_from.split() for one in run.attempts if one.resumed_from]
    return [int(found[1].rstrip(",")) for found in words if len(found) > 1 and found[1].rstrip(",").isdecimal()]


def _labels(crystals: RunCrystals | None) -> Json:
    return {key: one.model_dump() for key, one in crystals.labels.items()} if crystals else {}


def _intervals(run: RunInput) -> Json:
    found = run.manifest.intervals if run.manifest else ()
    return {one.key: [(each.level, each.coverage) for each in one.levels] for one in found if one.levels}


def _short(value: float | None) -> float | None:
    return value if value is None or isinstance(value, int) else float(f"{value:.5g}")
