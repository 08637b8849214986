"""The runs of a store."""

from __future__ import annotations

import os
from collections.abc import Sequence

from phase2.api.results.table import Cell, Table
from phase2.api.runs.listed_run import ListedRun
from phase2.api.runs.references import store_at
from phase2.runs.catalog import index
from phase2.runs.catalog.best import SCORE, compare_best
from phase2.runs.catalog.columns import sort_runs
from phase2.runs.catalog.filter import RunFilter
from phase2.runs.catalog.measures import error_name


def list_runs(  # noqa: PLR0913 - filters
    store: str | os.PathLike[str] | None = None,
    *,
    algorithm: str | None = None,
    level: str | None = None,
    status: str | None = None,
    property: str | None = None,  # noqa: A002 - the field's own name
    data: str | None = None,
    split: str | None = None,
    seed: int | None = None,
    epochs: int | None = None,
    lr: float | None = None,
) -> RunList:
    """List the runs of a store, the newest first.

    Args:
        store: A folder or ``s3://bucket/prefix``. By default ``$PHASE2_STORE``, or the folder ``models``.
        algorithm: Only those of ``e3nn`` or ``cgcnn``.
        level: Only those of this level, or ``competition``.
        status: Only those that are ``finished``, ``failed``, ``interrupted``, ``running`` or ``unfinished``.
        property: Only those that were trained on this property.
        data: Only those on this data set: its name or path, or the beginning of its fingerprint.
        split: Only those with this split.
        seed: Only those of this seed.
        epochs: Only those of so many epochs.
        lr: Only those with this peak learning rate.

    Raises:
        UnknownNameError: There is no such algorithm, level or status, or no run of such a property.
        RequestError: The store cannot be read.
        TransientError: The store does not answer.

    Examples:
        >>> settings = {"algorithm": "cgcnn", "level": "smoke", "epochs": 2, "max_samples": 60, "output": folder}
        >>> run = phase2.train(progress=False, **settings)
        >>> runs = phase2.list_runs(folder)
        >>> runs[0].run_id == run.id, runs[0].status
        (True, 'finished')
    """
    wanted = RunFilter(
        algorithm=algorithm, mode=level, status=status, property=property,
        data=data, split=split, seed=seed, epochs=epochs, lr=lr,
    )  # fmt: skip
    place = store_at(store)
    return RunList([ListedRun.of(run, place.url) for run in wanted.select(index.list_runs(place))])


class RunList(Table[ListedRun]):
    """Runs of a store, without their test errors: nothing that is chosen from a list is chosen by them.

    Args:
        rows: One per run.
    """

    def __init__(self, rows: Sequence[ListedRun]) -> None:
        self._rows = tuple(rows)

    @property
    def rows(self) -> tuple[ListedRun, ...]:
        """One per run."""
        return self._rows

    def best_first(self, by: str = SCORE) -> RunList:
        """Return the finished runs, the best first.

        Args:
            by: ``score``, which compares runs of the same properties, data and split, or a property, whose validation
                MAE, or log loss if it is binary, compares runs of the same data and split.

        Raises:
            RequestError: The runs do not compare, or none has the number.
            UnknownNameError: ``by`` is no property.
        """
        return RunList(compare_best(self.rows, by).runs)

    def sorted_by(self, column: str, *, reverse: bool = False) -> RunList:
        """Return the runs sorted by a column of ``phase2 runs list``: ``seed``, ``rate`` or ``mae:band_gap``, say.

        Args:
            column: Name of the column.
            reverse: Whether the highest value comes first; runs without a value are last either way.

        Raises:
            UnknownNameError: There is no such column.
        """
        return RunList(sort_runs(self.rows, column, reverse=reverse))

    def columns(self) -> list[str]:
        """Return the headings; those of validation errors carry the units, as far as the runs agree in them."""
        errors = [f"val {error_name(key, self.rows)}" for key in self._keys()]
        about = ["run", "family", "algorithm", "level", "status", "started", "data", "split", "seed", "epochs", "rate"]
        return [*about, "score", *errors, "bytes"]

    def records(self) -> list[list[Cell]]:
        """Return the cells of each run; times are UTC."""
        return [
            [
                *(run.run_id, run.family, run.algorithm, run.mode, run.status, f"{run.started:%Y-%m-%d %H:%M:%S}"),
                *(run.source, run.split, run.seed, run.epochs, run.lr),
                *(run.score, *(run.val_errors.get(key) for key in self._keys()), run.size),
            ]
            for run in self.rows
        ]

    def _keys(self) -> list[str]:
        return list(dict.fromkeys(key for run in self.rows for key in run.val_errors))
