"""Tasks of matbench (Dunn, Wang, Ganose, Dopp & Jain, npj Comput. Mater. 6, 138, 2020): five folds of each.

Of a modulus matbench holds log10. A model learns the modulus itself in GPa, and what it predicts is compared in log10.
Targets that are none of the nine properties are learned and compared as they are, as properties that the run defines.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.protocols.protocol import Fold, Protocol, log10_error, mean_absolute_error
from bench.published_split import FIELD, content_digest, write_records
from phase2.config.data.own_properties import PropertyDefinition
from phase2.config.data.property_texts import parse_property
from phase2.config.settings import cache_dir
from phase2.errors import DataError
from phase2.properties import get_property
from phase2.storage.disk.atomic import via_temporary

FOLDS, SEED = 5, 18012019


@dataclass(frozen=True, slots=True)
class Task:
    """A task of matbench.

    Attributes:
        column: Column of the target: log10 of one of the nine properties, or a property that the run defines.
        prop: Key of that property, or the definition.
    """

    column: str
    prop: str | PropertyDefinition

    @property
    def is_logarithm(self) -> bool:
        """Whether the column has log10 of the property."""
        return isinstance(self.prop, str)

    @property
    def record_column(self) -> str:
        """Column of the labels in the records that runs read."""
        return (get_property(self.prop) if isinstance(self.prop, str) else self.prop.as_property()).column


def _own(text: str) -> Task:
    """Return the task of a property as ``--property`` defines it."""
    (definition,) = parse_property(text)
    return Task(definition.as_property().column, definition)


TASKS = {
    "log_kvrh": Task("log10(K_VRH)", "bulk_modulus"),
    "log_gvrh": Task("log10(G_VRH)", "shear_modulus"),
    "phonons": _own("peak:1/cm:last phdos peak"),
    "dielectric": _own("n"),
    "jdft2d": _own("exfoliation_en:meV/atom"),
}


def matbench(task: str, data: Path) -> Protocol:
    """Return the protocol of a task.

    Args:
        task: Name in ``TASKS``.
        data: Your copy of ``matbench_<task>.json.gz``.

    Raises:
        DataError: The file is another one, or has a disordered structure.
    """
    path = cache_dir() / "protocols" / f"matbench-{task}-{content_digest(data)}.jsonl.gz"
    if not path.exists():
        via_temporary(path, lambda temporary: write_records(temporary, _records(data, TASKS[task])))
    names = [f"fold{k}" for k in range(FOLDS)]
    folds = tuple(Fold(name, tuple(other for other in names if other != name), name) for name in names)
    score = log10_error if TASKS[task].is_logarithm else mean_absolute_error
    return Protocol(f"matbench-{task}", path, TASKS[task].prop, folds, score)


def fold_numbers(count: int) -> list[int]:
    """Return the fold that each row of a task is the test part of."""
    from sklearn.model_selection import KFold

    number = np.empty(count, dtype=np.int64)
    for k, (_, test) in enumerate(KFold(FOLDS, shuffle=True, random_state=SEED).split(number)):
        number[test] = k
    return [int(k) for k in number]


def _records(data: Path, task: Task) -> Iterator[dict[str, object]]:
    with gzip.open(data, "rt", encoding="utf-8") as file:
        frame = json.load(file)
    columns = frame.get("columns", []) if isinstance(frame, dict) else []
    if task.column not in columns or "structure" not in columns:
        raise DataError(
            f"{data} has no columns 'structure' and '{task.column}'.",
            why=f"Its columns are {', '.join(map(str, columns)) or 'none'}.",
            fix="Give the file of this task, as matbench offers it.",
        )
    structure, target = columns.index("structure"), columns.index(task.column)
    for name, row, fold in zip(frame["index"], frame["data"], fold_numbers(len(frame["data"])), strict=True):
        yield {
            "jid": str(name),
            "atoms": _atoms(row[structure], str(name)),
            FIELD: f"fold{fold}",
            task.record_column: 10 ** float(row[target]) if task.is_logarithm else float(row[target]),
        }


def _atoms(structure: Mapping[str, Any], name: str) -> dict[str, object]:
    """Convert a structure as pymatgen writes it; see ``phase2.data.crystals.formats.jarvis.from_jarvis``."""
    sites = structure["sites"]
    if any(len(site["species"]) != 1 or site["species"][0]["occu"] != 1 for site in sites):
        raise DataError(f"The structure {name} has a partly occupied site.", fix="Use the file as matbench offers it.")
    return {
        "lattice_mat": structure["lattice"]["matrix"],
        "coords": [site["abc"] for site in sites],
        "elements": [site["species"][0]["element"] for site in sites],
        "cartesian": False,
    }
