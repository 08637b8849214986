"""The runs of a cross-validation together: errors by fold, their mean and spread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean, stdev
from typing import Literal, Self

from pydantic import Field

from phase2.config.data.splits import MATBENCH_FOLDS, parse_split
from phase2.errors import DataError
from phase2.output.wording import counted
from phase2.runs.records.manifest import RunManifest
from phase2.runs.records.results import PropertyMetrics
from phase2.runs.report.markdown import number, table
from phase2.storage.records import Counted, Record

Measure = Literal["mae", "log_loss", "roc_auc", "accuracy", "f1"]
_OF_VALUES: tuple[Measure, ...] = ("mae",)
_OF_BINARY: tuple[Measure, ...] = ("log_loss", "roc_auc", "accuracy", "f1")
_NAMES: Mapping[Measure, str] = {"log_loss": "log loss", "roc_auc": "ROC AUC", "accuracy": "accuracy", "f1": "F1"}


def _is_zero(value: object) -> bool:
    return value == 0


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
    """One measure of one property on the test part, over the folds.

    Attributes:
        key: The property.
        unit: Unit of the values; empty for a number without one.
        measure: ``mae``, lower is better; of a binary property ``log_loss``, lower is better, and ``roc_auc``,
            ``accuracy`` and ``f1``, of which higher is.
        labels: Test labels of all folds.
        folds: Value of each fold, in their order; null where a fold has none.
        mean: Mean of these.
        std: Their sample standard deviation; null for one fold.
        baseline: Mean over the folds of the value of the baseline: of predicting the median of the training labels, or
            the share of those that are true; null for ``roc_auc`` and ``f1``.
    """

    key: str
    unit: str
    measure: Measure = "mae"
    labels: Counted
    folds: tuple[float | None, ...]
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
        properties: Errors by property; several of a binary one.
        reduced: Whether crystals of the folds were left out by ``max_samples``.
        dropped: Crystals that no fold tests, since they have a twin in its training part (``drop_twins``).
    """

    schema_version: Counted = 1
    name: str
    source: str
    runs: tuple[FoldRun, ...]
    missing: tuple[str, ...] = ()
    properties: tuple[PropertySpread, ...]
    reduced: bool = False
    dropped: Counted = Field(default=0, exclude_if=_is_zero)

    @classmethod
    def of(cls, name: str, manifests: Sequence[RunManifest], missing: Sequence[str] = ()) -> Self:
        """Gather finished runs.

        Args:
            name: Name of the cross-validation.
            manifests: Manifests of its finished runs.
            missing: Ids of those that are not finished.

        Raises:
            DataError: None is finished, one is tested on no fold, two are on the same, or they are folds of different
                data, seeds or numbers.
        """
        done = sorted((one for one in manifests if one.status == "finished"), key=fold_number)
        if not done:
            raise DataError(
                f"No fold of '{name}' is finished.",
                why="The table is made of finished runs.",
                fix="'phase2 runs list' shows the runs; 'phase2 cross-validate' with this name trains its folds.",
            )
        _refuse_mixed(name, done)
        splits = [one.config.data.split_name for one in done]
        if len(set(splits)) < len(splits):
            twice = next(split for split in splits if splits.count(split) > 1)
            raise DataError(f"Two runs of '{name}' have the split {twice}.", fix="Name runs of different folds.")
        return cls(
            name=name,
            source=done[0].config.data.source,
            runs=tuple(_fold_run(one) for one in done),
            missing=tuple(missing),
            properties=tuple(
                spread
                for key in dict.fromkeys(r.key for one in done for r in one.test)
                for spread in _spreads(key, done)
            ),
            reduced=any(_is_reduced(one) for one in done),
            dropped=sum(_dropped(one)[1] for one in done),
        )

    def markdown(self) -> str:
        """Write the tables: mean and spread of each measure of each property, and every fold."""
        folds = [run.split for run in self.runs]
        lines = [
            f"# Cross-validation {self.name}",
            f"Test errors of {len(folds)} runs on {self.source}; the spread is the standard deviation over the folds.",
        ]
        errors = [(row.key, row.unit or "-", *_cells(row)) for row in self.properties if row.measure == "mae"]
        if errors:
            columns = ("property", "unit", "mean MAE", "spread", "median's MAE", "test labels", *folds)
            lines.append(table(columns, errors, numeric=len(columns) - 2))
        binary = [(row.key, _NAMES[row.measure], *_cells(row)) for row in self.properties if row.measure != "mae"]
        if binary:
            columns = ("binary property", "measure", "mean", "spread", "prior's", "test labels", *folds)
            lines.append(table(columns, binary, numeric=len(columns) - 2))
        if self.reduced:
            lines.append("The folds are not whole: --max-samples leaves crystals out.")
        if self.dropped:
            twins = f"{counted(self.dropped, 'crystal')} with a twin in the training part of the fold"
            lines.append(f"The folds are not whole: {twins} {'is' if self.dropped == 1 else 'are'} not tested.")
        if self.missing:
            lines.append(f"Not finished: {', '.join(self.missing)}.")
        return "\n\n".join(lines) + "\n"


def _cells(row: PropertySpread) -> tuple[str, ...]:
    return (*map(number, (row.mean, row.std, row.baseline)), f"{row.labels:,}", *map(number, row.folds))


def fold_number(manifest: RunManifest) -> int:
    """Return the number of the fold that a run is tested on, from 0; -1 where its split is no fold."""
    split = parse_split(manifest.config.data.split_name)
    return MATBENCH_FOLDS.index(split.argument) if split.method == "matbench" else split.fold - 1


def _refuse_mixed(name: str, manifests: Sequence[RunManifest]) -> None:
    """Refuse runs whose test parts are not the folds of one division of one data set."""
    apart = next((one for one in manifests if fold_number(one) < 0), None)
    if apart is not None:
        raise DataError(
            f"The run {apart.run_id} of '{name}' is tested on no fold.",
            why=f"Its split is {apart.config.data.split_name}, and the mean is over folds, in which each crystal is "
            "tested once: kfold:5/1 and the like.",
            fix=f"See their test errors side by side: phase2 runs compare {' '.join(one.run_id for one in manifests)}.",
        )
    first = manifests[0]
    other = next((one for one in manifests if _division(one) != _division(first)), None)
    if other is not None:
        raise DataError(
            f"The runs {first.run_id} and {other.run_id} of '{name}' are no folds of one division.",
            why=f"They are of {_described(first)}, and of {_described(other)}.",
            fix="Name runs of one cross-validation.",
        )


def _division(manifest: RunManifest) -> tuple[object, ...]:
    split, data = parse_split(manifest.config.data.split_name), manifest.config.data
    content = (manifest.data.address if manifest.data else "") or data.source
    return split.method, split.folds, split.keys, data.split_seed, content, data.max_samples, data.drop_twins


def _described(manifest: RunManifest) -> str:
    data = manifest.config.data
    kept = "" if data.max_samples is None else f", at most {data.max_samples:,} crystals"
    twins = ", without twins" if data.drop_twins else ""
    return f"{data.source}, {data.split_name}, split seed {data.split_seed}{kept}{twins}"


def _is_reduced(manifest: RunManifest) -> bool:
    """Return whether labelled crystals are in no part that were not left out for a twin."""
    data = manifest.data
    if manifest.config.data.max_samples is None or data is None:
        return False
    return data.used + sum(_dropped(manifest)) < data.read - data.rejected - data.unlabelled


def _dropped(manifest: RunManifest) -> tuple[int, int]:
    """Return the validation and test crystals that were left out for a twin in the training part."""
    split = manifest.data.split if manifest.data else None
    return (split.dropped_val or 0, split.dropped_test or 0) if split else (0, 0)


def _fold_run(manifest: RunManifest) -> FoldRun:
    data = manifest.data
    return FoldRun(
        run_id=manifest.run_id,
        split=manifest.config.data.split_name,
        split_fingerprint=data.split_fingerprint if data else "",
        test=data.test if data else 0,
        score=manifest.score,
    )


def _spreads(key: str, manifests: Sequence[RunManifest]) -> Iterator[PropertySpread]:
    found = [next((row for row in one.test if row.key == key), None) for one in manifests]
    known = [row for row in found if row]
    if len({(row.unit, row.is_binary) for row in known}) > 1:
        raise DataError(
            f"The runs define '{key}' differently.",
            why=f"Its units are {', '.join(dict.fromkeys(_unit(row) for row in known))}.",
            fix="Name runs of one cross-validation.",
        )
    for measure in _OF_BINARY if known[0].is_binary else _OF_VALUES:
        values = [getattr(row, measure) if row else None for row in found]
        numbers = [value for value in values if value is not None]
        of_baseline = [value for row in known if (value := getattr(row, f"baseline_{measure}", None)) is not None]
        yield PropertySpread(
            key=key,
            unit=known[0].unit,
            measure=measure,
            labels=sum(row.count for row in known),
            folds=tuple(values),
            mean=mean(numbers) if numbers else None,
            std=stdev(numbers) if len(numbers) > 1 else None,
            baseline=mean(of_baseline) if of_baseline else None,
        )


def _unit(row: PropertyMetrics) -> str:
    return "probability" if row.is_binary else row.unit or "none"
