"""What a finished run achieved, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from phase2.cli.console import print_table

if TYPE_CHECKING:
    from phase2.training.experiment import FinishedRun

_NUMERIC = ("val MAE", "test MAE", "median baseline", "better by", "test R2", "test labels")


def print_summary(finished: FinishedRun) -> None:
    """Print validation and test MAE by property beside the median baseline, and where everything is."""
    from phase2.runs.results import result_rows

    manifest, folder = finished.manifest, finished.directory
    title = f"{manifest.algorithm} {manifest.mode}: best epoch {manifest.best_epoch} of {manifest.epochs}"
    rows = [
        (
            row.key,
            row.unit or "-",
            _figure(row.val_mae),
            _figure(row.test_mae),
            _figure(row.baseline_mae),
            "-" if row.times_better is None else f"{row.times_better:.1f} x",
            _figure(row.r2),
            str(row.count),
        )
        for row in result_rows(manifest.val, manifest.test)
    ]
    print_table(title, ("property", "unit", *_NUMERIC), rows, numeric=_NUMERIC)
    typer.echo(f"run folder: {folder.path}")
    typer.echo(f"hand-off:   {folder.handoff}")


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
