"""What a report tells about the crystals of a run, recorded when it finishes (``crystals.json``).

Compact, by columns: row i of each column is row i of ``predictions_test.csv``.
"""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field

from phase2.runs.layout import RunDirectory
from phase2.storage.disk.atomic import write_text
from phase2.storage.records import Counted, Record

WORST = 20
"""Crystals with the largest errors of each property whose structures are recorded."""

SpaceGroup = Annotated[int, Field(ge=0, le=230)]
Vector = tuple[float, float, float]

_LAST_OF_SYSTEM = {
    2: "triclinic",
    15: "monoclinic",
    74: "orthorhombic",
    142: "tetragonal",
    167: "trigonal",
    194: "hexagonal",
    230: "cubic",
}
CRYSTAL_SYSTEMS = tuple(_LAST_OF_SYSTEM.values())


class RecordedStructure(Record):
    """Structure of one crystal.

    Attributes:
        id: Its id.
        lattice: Lattice vectors as rows, angstrom.
        species: Atomic numbers of its N atoms.
        positions: Their Cartesian positions, angstrom.
    """

    id: str
    lattice: tuple[Vector, Vector, Vector]
    species: tuple[Annotated[int, Field(ge=1, le=118)], ...]
    positions: tuple[Vector, ...]


class LabelHistogram(Record):
    """Labels of one property by part, counted in equal bins.

    Attributes:
        low: Lower end of the first bin, in the property's unit, on the scale that it is learned on.
        high: Upper end of the last.
        train: Training labels in each bin; labels beyond the ends are in the first and the last.
        val: Validation labels.
        test: Test labels.
    """

    low: float
    high: float
    train: tuple[Counted, ...]
    val: tuple[Counted, ...]
    test: tuple[Counted, ...]


class RunCrystals(Record):
    """The crystals of a run, as far as its report shows them.

    Attributes:
        schema_version: Format of this file.
        atoms: Atoms in the cell of each test crystal.
        space_groups: Space group of each test crystal; 0 where none was found, or none was looked for.
        distances: Distance of each test crystal from the training crystals, in units of the distance that 99 % of the
            validation crystals do not exceed; empty where the model has no calibration.
        test_seen: Rows of the test crystals whose composition is that of a training crystal.
        val_seen: Number of such validation crystals.
        labels: Labels by property.
        structures: Structures of the test crystals with the largest errors of each property.
    """

    schema_version: Counted = 1
    atoms: tuple[Counted, ...]
    space_groups: tuple[SpaceGroup, ...]
    distances: tuple[float, ...] = ()
    test_seen: tuple[Counted, ...] = ()
    val_seen: Counted = 0
    labels: dict[str, LabelHistogram] = Field(default_factory=dict)
    structures: tuple[RecordedStructure, ...] = ()


def crystal_system(space_group: int) -> str:
    """Return the crystal system of a space group; ``unknown`` for 0.

    Example:
        >>> crystal_system(225), crystal_system(0)
        ('cubic', 'unknown')
    """
    if space_group < 1:
        return "unknown"
    return next(name for last, name in _LAST_OF_SYSTEM.items() if space_group <= last)


def write_crystals(run: RunDirectory, crystals: RunCrystals) -> None:
    """Write ``crystals.json`` into a run directory, on one line."""
    write_text(run.crystals, _one_line(crystals))


def _one_line(crystals: RunCrystals) -> str:
    content = crystals.model_dump(mode="json")
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
