"""Runs side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence

from phase2.api.results.table import Cell, Table
from phase2.api.runs.references import RunReference, manifest_of
from phase2.errors import RequestError
from phase2.runs.catalog.comparison import ComparisonRow, compare_runs
from phase2.runs.catalog.same_data import on_same_data
from phase2.runs.records.manifest import RunManifest


def compare(*runs: RunReference, store: str | os.PathLike[str] | None = None) -> Comparison:
    """Set the errors of runs side by side, property by property.

    Args:
        *runs: Two or more: each a :class:`phase2.Run`, an id or folder name, ``best`` or ``latest``, a run folder, a
            row of :func:`phase2.list_runs`, or an address in a store.
        store: Where named runs are looked up: a folder or ``s3://bucket/prefix``. By default ``$PHASE2_STORE``, or the
            folder ``models``.

    Raises:
        RequestError: There are fewer than two runs, or there is no such run, or it is not finished.
        TransientError: The store does not answer.

    Examples:
        >>> settings = {"algorithm": "cgcnn", "level": "smoke", "epochs": 2, "max_samples": 60, "output": folder}
        >>> first, second = (phase2.train(seed=seed, progress=False, **settings) for seed in (1, 2))
        >>> table = phase2.compare(first, second)
        >>> table[0].measure, len(table[0].values)
        ('score', 2)
    """
    if len(runs) < 2:
        raise RequestError("One run compares with nothing.", fix="Name two or more; of a list: compare(*runs).")
    return Comparison([manifest_of(run, store) for run in runs])


class Comparison(Table[ComparisonRow]):
    """Scores and errors of runs side by side: one row per property, part and measure, one column per run.

    Args:
        manifests: Manifests of the runs.
    """

    def __init__(self, manifests: Sequence[RunManifest]) -> None:
        self._manifests = tuple(manifests)
        self._rows = tuple(compare_runs(manifests))

    @property
    def rows(self) -> tuple[ComparisonRow, ...]:
        """The score first, then the properties in the order in which they first appear."""
        return self._rows

    @property
    def runs(self) -> tuple[str, ...]:
        """Ids of the runs, in the order of the values."""
        return tuple(manifest.run_id for manifest in self._manifests)

    @property
    def same_data(self) -> bool:
        """Whether all were trained and measured on the same crystals; if not, their errors compare only roughly."""
        return on_same_data(self._manifests)

    def columns(self) -> list[str]:
        """Return the headings; the unit of each row has a column of its own."""
        return ["property", "unit", "part", "measure", "better", *self.runs]

    def records(self) -> list[list[Cell]]:
        """Return the cells of each row."""
        return [[*row.labels().values(), *row.values] for row in self.rows]
