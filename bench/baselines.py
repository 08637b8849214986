"""Errors of the baselines on a data set: the median, and gradient boosting by groups of features and by loss.

``python -m bench.baselines [--data sample|PATH] [--seeds 42 43 44]`` fits every variant to splits drawn with these
seeds and prints the mean validation and test MAE by property, in Markdown. Settings are chosen on validation errors;
those on test crystals stand beside them.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from phase2.baselines.boosting import BoostingPredictions, Settings, predict_by_boosting
from phase2.baselines.features import DEFAULT_GROUPS, GROUPS, feature_names
from phase2.baselines.fitting import mean_absolute_error
from phase2.config.schema import DataConfig
from phase2.data.dataset import CrystalPropertyDataset
from phase2.properties import KEYS
from phase2.runs.report.markdown import markup_table, number


@dataclass(frozen=True)
class Variant:
    """A way of fitting; the defaults are what runs use."""

    name: str
    groups: tuple[str, ...] = DEFAULT_GROUPS
    changes: Settings = field(default_factory=dict)


def variants() -> list[Variant]:
    prefixes = [DEFAULT_GROUPS[: k + 1] for k in range(len(DEFAULT_GROUPS))]
    others = [name for name in GROUPS if name not in DEFAULT_GROUPS]
    return [
        *(Variant(" + ".join(groups), groups) for groups in prefixes),
        *(Variant(f"the last + {name}", (*DEFAULT_GROUPS, name)) for name in others),
        Variant("defaults, absolute error as loss", changes={"loss": "absolute_error"}),
        Variant("defaults, all features at every split", changes={"max_features": 1.0}),
    ]


def main() -> None:
    """Fit every variant and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="sample", help="data set or path")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43, 44], help="seeds of the split")
    parser.add_argument("--defaults", action="store_true", help="only what runs use")
    chosen = parser.parse_args()
    datasets = [
        CrystalPropertyDataset.load(
            DataConfig(source=chosen.data, split_seed=seed), KEYS, drop_unlabelled_properties=True
        )
        for seed in chosen.seeds
    ]
    properties = datasets[0].properties
    counts = datasets[0].label_counts()["train"]
    print(f"{chosen.data}: {', '.join(f'{key} {n:,}' for key, n in counts.items())} training labels")
    rows = [["median", "", "", *_cells([_median(dataset) for dataset in datasets])]]
    for variant in [Variant("defaults")] if chosen.defaults else variants():
        start = time.process_time()
        predicted = [
            predict_by_boosting(dataset, seed=seed, groups=variant.groups, settings=variant.changes)
            for dataset, seed in zip(datasets, chosen.seeds, strict=True)
        ]
        seconds = (time.process_time() - start) / len(datasets)
        errors = [_errors(dataset, found) for dataset, found in zip(datasets, predicted, strict=True)]
        features = str(len(feature_names(variant.groups)))
        rows.append([variant.name, features, f"{seconds:.1f}", *_cells(errors)])
        print("|", " | ".join(rows[-1]), "|", flush=True)
    columns = ("val / test MAE", "features", "CPU s", *(prop.heading for prop in properties))
    print(markup_table(columns, rows, numeric=len(columns) - 1))


Errors = list[tuple[float | None, float | None]]


def _errors(dataset: CrystalPropertyDataset, predicted: BoostingPredictions) -> Errors:
    """Return validation and test MAE of each property."""
    val, test = dataset.targets[dataset.split.val], dataset.targets[dataset.split.test]
    return [
        (
            mean_absolute_error(predicted.val[:, k], val[:, k]),
            mean_absolute_error(predicted.test[:, k], test[:, k]),
        )
        for k in range(len(dataset.properties))
    ]


def _median(dataset: CrystalPropertyDataset) -> Errors:
    median = dataset.scaler.baseline()
    val, test = (np.tile(median, (len(part), 1)) for part in (dataset.split.val, dataset.split.test))
    return _errors(dataset, BoostingPredictions(val, test, np.zeros(len(median), dtype=np.int64)))


def _cells(splits: Sequence[Errors]) -> list[str]:
    """Return the means over the splits, one cell per property."""
    return [" / ".join(map(_mean, zip(*one, strict=True))) for one in zip(*splits, strict=True)]


def _mean(values: Sequence[float | None]) -> str:
    return number(statistics.mean(value for value in values if value is not None))


if __name__ == "__main__":
    main()
