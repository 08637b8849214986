"""A finished run as one line: what a sweep compares, and what a workflow hands on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Self

from phase2.config.assignments import SET
from phase2.errors import DataError
from phase2.runs.catalog.index import list_runs
from phase2.runs.manifest import RunManifest
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.report.markdown import number, table
from phase2.runs.report.metrics_table import metrics_table
from phase2.storage.base import Store
from phase2.storage.disk.atomic import write_text
from phase2.storage.records import Record


class RunRow(Record):
    """What a finished run was and achieved.

    Attributes:
        run_id: Id of the run.
        algorithm: ``e3nn`` or ``cgcnn``.
        mode: The level, or ``competition``.
        seed: Its seed.
        epochs: Epochs asked for.
        lr: Peak learning rate.
        batch_size: Crystals per step.
        score: Validation score; lower is better.
        val_mae: Validation MAE by property.
        test_mae: Test MAE by property.
        settings: Settings that were given by their paths, as text.
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
    settings: tuple[str, ...] = ()

    @classmethod
    def of(cls, manifest: RunManifest) -> Self:
        """The line of a run.

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
            settings=tuple(after for word, after in pairwise(manifest.command) if word == SET),
        )


def write_report(folder: Path, manifest: RunManifest, page: str) -> str:
    """Write what a workflow hands on of a finished run: its id, its line, its table of errors and its page.

    Args:
        folder: Where ``run-id``, ``row.json``, ``mae.md`` and ``report.md`` are written.
        manifest: Manifest of the run.
        page: Its hand-off page.

    Returns:
        The table.

    Raises:
        DataError: The run is not finished.
    """
    row, errors = RunRow.of(manifest), metrics_table(manifest.val, manifest.test)
    for name, text in (
        ("run-id", row.run_id),
        ("row.json", row.model_dump_json()),
        ("mae.md", errors),
        ("report.md", page),
    ):
        write_text(folder / name, text)
    return errors


def finished_rows(store: Store, run_ids: Collection[str]) -> list[RunRow]:
    """The lines of the runs of a store that are finished; the others are left out.

    Args:
        store: Where they are kept.
        run_ids: Their ids.

    Raises:
        ModelFileError: A manifest is damaged.
        TransientError: The store does not answer.
    """
    found = [run for run in list_runs(store) if run.run_id in run_ids and run.status == "finished"]
    return [RunRow.of(PublishedRun.open(store, run.prefix).manifest) for run in found]


def ranked(rows: Sequence[RunRow]) -> list[RunRow]:
    """Sort lines by validation score, the best first; those without one come last.

    Raises:
        DataError: There is none.
    """
    if not rows:
        raise DataError(
            "There is no run to compare.",
            why="Every run of the sweep failed.",
            fix="Read why in the log of each of its steps.",
        )
    return sorted(rows, key=lambda row: (row.score is None, row.score or 0.0, row.run_id))


def rows_table(rows: Sequence[RunRow]) -> str:
    """Write lines as a Markdown table, with the validation MAE of every property that one of them has.

    Settings that were given by their paths have a column where the runs differ in them.
    """
    keys = list(dict.fromkeys(key for row in rows for key in row.val_mae))
    different = {one for row in rows for one in row.settings if any(one not in other.settings for other in rows)}
    columns = (
        "run",
        "algorithm",
        "mode",
        *(["settings"] if different else []),
        "seed",
        "epochs",
        "lr",
        "batch size",
        "score",
        *(f"val MAE {k}" for k in keys),
    )
    lines = [
        (
            *(row.run_id, row.algorithm, row.mode),
            *([", ".join(one for one in row.settings if one in different)] if different else []),
            *(str(row.seed), str(row.epochs), f"{row.lr:g}", str(row.batch_size), number(row.score)),
            *(number(row.val_mae.get(key)) for key in keys),
        )
        for row in rows
    ]
    return table(columns, lines, numeric=len(keys) + 5)
