"""Ranking of the runs of a sweep, one row per run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Self

from pydantic import Field

from phase2.config.assignments import SET
from phase2.errors import DataError
from phase2.properties import KEYS, error_unit
from phase2.runs.catalog.index import list_runs
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.records.manifest import RunManifest
from phase2.runs.report.markdown import number, table
from phase2.storage.base import Store
from phase2.storage.records import Record


class RunRow(Record):
    """One finished run as a row: settings and errors (``row.json``).

    Unlike ``RunSummary`` it holds test errors, so rows are made of finished runs only and ranked by validation score.

    Attributes:
        run_id: Id of the run.
        algorithm: ``e3nn`` or ``cgcnn``.
        mode: The level, or ``competition``.
        seed: Its seed.
        epochs: Epochs requested.
        lr: Peak learning rate.
        batch_size: Crystals per step.
        score: Validation score; lower is better.
        val_mae: Validation MAE by property, null for a binary one.
        test_mae: Test MAE likewise.
        val_log_loss: Validation log loss by binary property.
        test_log_loss: Test log loss likewise.
        own_units: Units of the properties that the run defines.
        settings: Settings that were given by their paths, as text.
        split: Name of its split; empty in rows of older versions.
        division: SHA-256 of which crystals are in which part; empty likewise.
    """

    run_id: str
    algorithm: str
    mode: str
    seed: int
    epochs: int
    lr: float
    batch_size: int
    score: float | None
    val_mae: dict[str, float | None]
    test_mae: dict[str, float | None]
    val_log_loss: dict[str, float | None] = Field(default_factory=dict)
    test_log_loss: dict[str, float | None] = Field(default_factory=dict)
    own_units: dict[str, str] = Field(default_factory=dict)
    settings: tuple[str, ...] = ()
    split: str = ""
    division: str = ""

    @classmethod
    def from_manifest(cls, manifest: RunManifest) -> Self:
        """Make the row of a run.

        Raises:
            DataError: The run is not finished.
        """
        if manifest.status != "finished":
            raise DataError(
                f"The run '{manifest.run_id}' is {manifest.status}.",
                why="Only a finished run has errors to report.",
                fix="Continue it with --resume.",
            )
        config = manifest.config
        return cls(
            run_id=manifest.run_id,
            algorithm=manifest.algorithm,
            mode=manifest.mode,
            seed=config.seed,
            epochs=config.training.epochs,
            lr=config.training.lr,
            batch_size=config.training.batch_size,
            score=manifest.score,
            val_mae={result.key: result.mae for result in manifest.val},
            test_mae={result.key: result.mae for result in manifest.test},
            val_log_loss={result.key: result.log_loss for result in manifest.val if result.is_binary},
            test_log_loss={result.key: result.log_loss for result in manifest.test if result.is_binary},
            own_units={result.key: result.unit for result in manifest.val if result.key not in KEYS and result.unit},
            settings=tuple(after for word, after in pairwise(manifest.command) if word == SET),
            split=config.data.split_name,
            division=manifest.data.split_fingerprint if manifest.data else "",
        )


def finished_rows(store: Store, run_ids: Collection[str]) -> list[RunRow]:
    """Return the rows of those runs of a store that are finished.

    Args:
        store: The store.
        run_ids: Ids of the runs.

    Raises:
        ModelFileError: A manifest is damaged.
        TransientError: The store does not respond.
    """
    found = [run for run in list_runs(store) if run.run_id in run_ids and run.status == "finished"]
    return [RunRow.from_manifest(PublishedRun.open(store, run.prefix).manifest) for run in found]


def ranked(rows: Sequence[RunRow]) -> list[RunRow]:
    """Sort rows by validation score, the best first; those without a score come last.

    Raises:
        DataError: There are no rows.
    """
    if not rows:
        raise DataError(
            "There is no run to compare.",
            why="Every run of the sweep failed.",
            fix="The log of each of its steps says why.",
        )
    return sorted(rows, key=lambda row: (row.score is None, row.score or 0.0, row.run_id))


def best_of_each(rows: Sequence[RunRow]) -> list[RunRow]:
    """Return the best of those runs that are validated on the same crystals, whose scores compare; best first."""
    found: dict[str, RunRow] = {}
    for row in ranked(rows):
        found.setdefault(row.division, row)
    return list(found.values())


def rows_table(rows: Sequence[RunRow]) -> str:
    """Write rows as a Markdown table, with the validation error of every property that any of them has.

    Settings given by their paths have a column each where the runs differ in them.
    """
    keys = list(dict.fromkeys(key for row in rows for key in row.val_mae))
    binary = {key for row in rows for key in row.val_log_loss}
    units = {key: unit for row in rows for key, unit in row.own_units.items()}
    split = len({row.split for row in rows}) > 1
    different = {one for row in rows for one in row.settings if any(one not in other.settings for other in rows)}
    columns = (
        "run",
        "algorithm",
        "mode",
        *(["split"] if split else []),
        *(["settings"] if different else []),
        "seed",
        "epochs",
        "lr",
        "batch size",
        "score",
        *(f"val log loss {k}" if k in binary else _with_unit(f"val MAE {k}", error_unit(k, units)) for k in keys),
    )
    lines = [
        (
            *(row.run_id, row.algorithm, row.mode),
            *([row.split] if split else []),
            *([", ".join(one for one in row.settings if one in different)] if different else []),
            *(str(row.seed), str(row.epochs), f"{row.lr:g}", str(row.batch_size), number(row.score)),
            *(number(row.val_log_loss.get(key) if key in binary else row.val_mae.get(key)) for key in keys),
        )
        for row in rows
    ]
    return table(columns, lines, numeric=len(keys) + 5)


def _with_unit(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name
