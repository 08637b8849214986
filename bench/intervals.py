"""Coverage and sharpness of intervals, beside split-conformal intervals of constant width.

``python -m bench.intervals RUN [RUN ...]`` takes finished runs, and without one trains e3nn smoke on the embedded
sample for ``--epochs``. The test part of the sample is too small for a statement about two points: 394 labels scatter
by 1.5 points at 0.9, and those of the calibration as much again. So validation and test part are pooled and divided at
random into halves, ``--splits`` times; one half calibrates, the other is measured. All figures are means over splits
and runs. The pool stays the same, so splits are not independent: the standard deviation is that of a single split.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.data.dataset import CrystalPropertyDataset
from phase2.models.files.modelfile import load_model_file
from phase2.runs.layout import RunDirectory
from phase2.runs.records.intervals import LEVELS, PropertyIntervals
from phase2.runs.report.markdown import markup_table, number
from phase2.training.calibration import features
from phase2.training.loader import TrainingLoader
from phase2.training.run.experiment import RunContext, train_run
from phase2.training.run.features import with_features
from phase2.uncertainty.calibration import Calibration
from phase2.uncertainty.coverage import measure_coverage
from phase2.uncertainty.difficulty import difficulty
from phase2.uncertainty.references import References

ENOUGH = 300  # test labels of a property, for the goal of two points
METHODS = ("scaled", "constant width")


@dataclass(frozen=True)
class Pool:
    """Crystals that the network was not trained on, as the model of a run sees them."""

    calibration: Calibration  # of all of them
    predictions: NDArray[np.float64]
    targets: NDArray[np.float64]


def main() -> None:
    """Measure the intervals of runs and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="*", help="finished run folders")
    parser.add_argument("--splits", type=int, default=50, help="random halves of the pool, for each run")
    parser.add_argument("--epochs", type=int, default=10, help="of the run that is trained where none is given")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = [RunDirectory(path) for path in chosen.runs] or [train(Path(folder), chosen.epochs)]
        pools = [pool(run) for run in runs]
    report(pools, chosen.splits)


def train(folder: Path, epochs: int) -> RunDirectory:
    request = RunRequest(algorithm="e3nn", level="smoke", epochs=epochs, max_samples=10_000, output=folder)
    return train_run(resolve(request), context=RunContext(with_baselines=False, notify=print)).directory


def pool(run: RunDirectory) -> Pool:
    trained = load_model_file(run.best)
    data = CrystalPropertyDataset.load(trained.config.data, [p.key for p in trained.properties])
    data = with_features(data, trained.config, workers=1, progress=lambda *_: None)
    loader = TrainingLoader(data, view=trained.model.view, batch_size=64, seed=0, device=torch.device("cpu"))
    references = References.fit(
        features(trained.model, loader.in_order(data.split.train)), loader.labels[data.split.train]
    )
    rest = np.concatenate([data.split.val, data.split.test])
    seen = features(trained.model, loader.in_order(rest))
    with torch.inference_mode():
        predictions = trained.scaler.decode(trained.model.heads(torch.from_numpy(seen)).double().numpy())
    calibration = Calibration(
        trained.scaler,
        predicted=trained.scaler.encode(predictions),
        labels=loader.labels[rest],
        difficulty=difficulty(references, seen).astype(np.float32),
    )
    return Pool(calibration, predictions, data.targets[rest])


def measurements(pools: Sequence[Pool], splits: int, method: str) -> Iterator[tuple[PropertyIntervals, ...]]:
    draw = np.random.default_rng(0)
    for one in pools:
        size = len(one.targets)
        known = one.calibration.difficulty if method == METHODS[0] else np.ones_like(one.calibration.difficulty)
        for _ in range(splits):
            order = draw.permutation(size)
            half, other = order[: size // 2], order[size // 2 :]
            part = one.calibration
            fitted = replace(part, predicted=part.predicted[half], labels=part.labels[half], difficulty=known[half])
            yield measure_coverage(
                fitted,
                one.predictions[other],
                known[other].astype(np.float64),
                np.zeros(len(other)),
                one.targets[other],
            )


def report(pools: Sequence[Pool], splits: int) -> None:
    print(f"{len(pools)} runs, {splits} splits of each")
    rows = []
    for method in METHODS:
        columns = zip(*measurements(pools, splits, method), strict=True)
        rows += [[one[0].key, method, *_cells(one)] for one in columns]
    headings = ("held share ± of a split", "intervals", "labels", *(f"{level:g}" for level in LEVELS))
    headings += ("width at 0.9", "narrowest tenth's MAE", "widest tenth's", "ratio")
    print(markup_table(headings, sorted(rows, key=lambda row: row[0]), numeric=len(headings) - 2))


def _cells(measured: Sequence[PropertyIntervals]) -> list[str]:
    found = {level: [at for one in measured if (at := one.at(level)) is not None] for level in LEVELS}
    labels = float(np.mean([one.test_labels for one in measured]))
    narrow = float(np.mean([one.narrow_mae for one in measured if one.narrow_mae is not None]))
    wide = float(np.mean([one.wide_mae for one in measured if one.wide_mae is not None]))
    held = [np.array([at.coverage for at in found[level]]) for level in LEVELS]
    return [
        f"{labels:.0f}" + ("" if labels > ENOUGH else " (few)"),
        *(f"{one.mean():.3f} ± {one.std(ddof=1):.3f}" for one in held),
        number(float(np.mean([at.mean_width for at in found[0.9]]))),
        number(narrow),
        number(wide),
        f"{wide / narrow:.1f}",
    ]


if __name__ == "__main__":
    main()
