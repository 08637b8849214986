"""Printing the results of a finished run as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phase2.cli.console import echo, print_table

if TYPE_CHECKING:
    from phase2.runs.records.manifest import RunManifest
    from phase2.training.run.experiment import FinishedRun

_BOOSTING = ("boosting val", "boosting test")
_MEDIAN = ("median baseline", "better by", "test R2", "test labels")


def print_summary(finished: FinishedRun) -> None:
    """Print validation and test MAE by property beside those of the baselines, and the paths of the run."""
    print_metrics(finished.manifest)
    echo(f"run folder: {finished.directory.path}")
    echo(f"hand-off:   {finished.directory.handoff}")


def print_metrics(manifest: RunManifest) -> None:
    """Print validation and test MAE by property beside those of the baselines, and where gradient boosting wins."""
    from phase2.runs.report.boosting import boosting_sentence
    from phase2.runs.report.markdown import number
    from phase2.runs.report.tables.binary import COLUMNS, binary_rows
    from phase2.runs.report.tables.metrics import metrics_rows

    title = f"{manifest.algorithm} {manifest.mode}: best epoch {manifest.best_epoch} of {manifest.epochs}"
    boosting = _BOOSTING if manifest.baselines else ()
    rows = [
        (
            row.key,
            row.unit or "-",
            number(row.val_mae),
            number(row.test_mae),
            *map(number, (row.boosting_val_mae, row.boosting_test_mae) if boosting else ()),
            number(row.baseline_mae),
            "-" if row.times_better is None else f"{row.times_better:.1f} x",
            number(row.r2),
            str(row.count),
        )
        for row in metrics_rows(manifest.val, manifest.test, manifest.baselines)
    ]
    binary = binary_rows(manifest.val, manifest.test)
    numeric = ("val MAE", "test MAE", *boosting, *_MEDIAN)
    if rows or not binary:
        print_table(title, ("property", "unit", *numeric), rows, numeric=numeric)
    if binary:
        print_table("" if rows else title, COLUMNS, binary, numeric=COLUMNS[1:])
    _print_intervals(manifest)
    _print_leakage(manifest)
    if sentence := boosting_sentence(manifest.val, manifest.baselines):
        echo(sentence)


def _print_leakage(manifest: RunManifest) -> None:
    """Print how many test crystals have a twin in the training part, and the errors on them and on the others."""
    from phase2.runs.report.leakage import COLUMNS, leakage_rows

    leakage = manifest.leakage
    if leakage is None:
        return
    if leakage.twins + leakage.near_twins:
        print_table("twins in the training part", COLUMNS, leakage_rows(leakage), numeric=COLUMNS[2:])
    echo(leakage.sentence())


def _print_intervals(manifest: RunManifest) -> None:
    """Print what the intervals hold on the test part; nothing for a run that has none."""
    from phase2.runs.report.tables.intervals import columns, rows

    if manifest.intervals:
        numeric = columns()[2:]
        print_table("intervals on the test part", columns(), rows(manifest.intervals), numeric=numeric)
