"""The runs of a cross-validation together: errors by fold, their mean and spread."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, stdev
from typing import Self

from phase2.config.data.splits import parse_split
from phase2.errors import DataError
from phase2.runs.manifest import RunManifest
from phase2.runs.report.markdown import number, table
from phase2.storage.records import Counted, Record


class FoldRun(Record):
    """One run of a cross-validation.

    Attributes:
        run_id: Its id.
        split: Its split: ``kfold:5/1``.
        split_fingerprint: SHA-256 of which crystals are in which part.
        test: Test crystals.
        score: Validation score.
    """

    run_id: str
    split: str
    split_fingerprint: str
    test: Counted
    score: float | None


class PropertySpread(Record):
    """Test errors of one property over the folds.

    Attributes:
        key: The property.
        unit: Unit of the errors; empty for a number without one.
        labels: Test labels of all folds.
        maes: Mean absolute error of each fold, in their order; null where a fold has no label.
        mean: Mean of these.
        std: Their sample standard deviation; null for one fold.
        baseline: Mean over the folds of the error of predicting the median of the training labels.
    """

    key: str
    unit: str
    labels: Counted
    maes: tuple[float | None, ...]
    mean: float | None
    std: float | None
    baseline: float | None


class CrossValidation(Record):
    """A cross-validation.

    Attributes:
        schema_version: Format of this file.
        name: Its name; the runs have it before their number.
        source: Name of the data set, or its path as given.
        runs: Its finished runs, in the order of their folds.
        missing: Ids of runs that are not finished.
        properties: Errors by property.
    """

    schema_version: Counted = 1
    name: str
    source: str
    runs: tuple[FoldRun, ...]
    missing: tuple[str, ...] = ()
    properties: tuple[PropertySpread, ...]

    @classmethod
    def of(cls, name: str, manifests: Sequence[RunManifest], missing: Sequence[str] = ()) -> Self:
        """Gather finished runs.

        Args:
            name: Name of the cross-validation.
            manifests: Manifests of its finished runs.
            missing: Ids of those that are not finished.

        Raises:
            DataError: None is finished, or two are tested on the same fold.
        """
        done = sorted((one for one in manifests if one.status == "finished"), key=_fold)
        if not done:
            raise DataError(
                f"No fold of '{name}' is finished.",
                why="The table is made of finished runs.",
                fix="Run 'phase2 cross-validate' with this name, and look again.",
            )
        splits = [one.config.data.split_name for one in done]
        if len(set(splits)) < len(splits):
            twice = next(split for split in splits if splits.count(split) > 1)
            raise DataError(f"Two runs of '{name}' have the split {twice}.", fix="Name runs of different folds.")
        return cls(
            name=name,
            source=done[0].config.data.source,
            runs=tuple(_fold_run(one) for one in done),
            missing=tuple(missing),
            properties=tuple(_spread(key, done) for key in dict.fromkeys(r.key for one in done for r in one.test)),
        )

    def markdown(self) -> str:
        """Write the table: mean and spread of each property, and every fold."""
        folds = [run.split for run in self.runs]
        rows = [
            (
                row.key,
                row.unit or "-",
                number(row.mean),
                number(row.std),
                number(row.baseline),
                f"{row.labels:,}",
                *map(number, row.maes),
            )
            for row in self.properties
        ]
        columns = ("property", "unit", "mean MAE", "spread", "median's MAE", "test labels", *folds)
        lines = [
            f"# Cross-validation {self.name}",
            f"Test errors of {len(folds)} runs on {self.source}; the spread is the standard deviation over the folds.",
            table(columns, rows, numeric=len(columns) - 2),
        ]
        if self.missing:
            lines.append(f"Not finished: {', '.join(self.missing)}.")
        return "\n\n".join(lines) + "\n"


def _fold(manifest: RunManifest) -> tuple[int, str]:
    split = parse_split(manifest.config.data.split_name)
    return split.fold, split.text


def _fold_run(manifest: RunManifest) -> FoldRun:
    data = manifest.data
    return FoldRun(
        run_id=manifest.run_id,
        split=manifest.config.data.split_name,
        split_fingerprint=data.split_fingerprint if data else "",
        test=data.test if data else 0,
        score=manifest.score,
    )


def _spread(key: str, manifests: Sequence[RunManifest]) -> PropertySpread:
    found = [next((row for row in one.test if row.key == key), None) for one in manifests]
    maes = [row.mae if row else None for row in found]
    known = [mae for mae in maes if mae is not None]
    medians = [row.baseline_mae for row in found if row and row.baseline_mae is not None]
    return PropertySpread(
        key=key,
        unit=next((row.unit for row in found if row), ""),
        labels=sum(row.count for row in found if row),
        maes=tuple(maes),
        mean=mean(known) if known else None,
        std=stdev(known) if len(known) > 1 else None,
        baseline=mean(medians) if medians else None,
    )
