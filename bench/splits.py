"""What a split costs: the same small network trained and tested on each split of a data set.

The baseline is the random split: each error is printed beside its ratio to that. Beside them stand the size of the test
part and how much of it is nearly in the training part, which ``--epochs 0`` prints alone. Each error is the mean over
several seeds of the run, with their standard deviation; the split is the same for all of them.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

import numpy as np

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import ResolvedRun, resolve
from phase2.data.dataset import CrystalPropertyDataset
from phase2.data.twins.search import NEAR, TWIN, find_twins
from phase2.runs.report.markdown import markup_table, number
from phase2.training.run.experiment import RunContext, train_run

SPLITS = (
    "random",
    "stratified",
    "composition",
    "chemsys",
    "spacegroup",
    "prototype",
    "composition+prototype",
    "element:Li",
    "kfold:5/1",
    "kfold:5/1:composition",
)
PROPERTIES = ("formation_energy", "band_gap", "bulk_modulus")


def main() -> None:
    """Print one row per split, as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="sample")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3, help="Runs on each split, with other weights and batches.")
    parser.add_argument("--split", nargs="*", default=SPLITS, help="Splits; the first is the baseline.")
    given = parser.parse_args()
    columns = ("split", "test", "twins", "near-twins", "same formula", *(PROPERTIES if given.epochs else ()))
    print(markup_table(columns, [], numeric=len(columns) - 1))
    baseline: list[tuple[float | None, ...]] = []
    for split in given.split:
        request = RunRequest(
            algorithm="cgcnn", level="smoke", data=given.data, split=split, epochs=given.epochs or None,
            max_samples=10**6, properties=PROPERTIES,
        )  # fmt: skip
        run = resolve(request)
        runs = [_errors(replace(request, seed=seed)) for seed in range(given.seeds if given.epochs else 0)]
        errors = list(zip(*runs, strict=True))
        baseline = baseline or errors
        row = [split, *_leakage(run), *map(_cell, errors, baseline)]
        print(f"| {' | '.join(row)} |", flush=True)


def _leakage(run: ResolvedRun) -> list[str]:
    config = run.config.data
    dataset = CrystalPropertyDataset.load(config, run.config.properties)
    split = dataset.split
    found = find_twins(dataset.graphs, split.test, split.train, cutoff=config.graph.cutoff)
    twins, near = (int(np.count_nonzero(found.kind == kind)) for kind in (TWIN, NEAR))
    return [f"{len(split.test):,}", str(twins), str(near), f"{100 * found.same_formula.mean():.0f} %"]


def _errors(request: RunRequest) -> list[float | None]:
    with tempfile.TemporaryDirectory() as folder:
        run = replace(request, output=Path(folder))
        manifest = train_run(resolve(run), context=RunContext(with_baselines=False)).manifest
    mae = {row.key: row.mae for row in manifest.test}
    return [mae.get(key) for key in PROPERTIES]


def _cell(errors: Sequence[float | None], baseline: Sequence[float | None]) -> str:
    known, others = ([error for error in column if error is not None] for column in (errors, baseline))
    if not known or not others:
        return "-"
    spread = f" ± {number(stdev(known))}" if len(known) > 1 else ""
    return f"{number(mean(known))}{spread} ({mean(known) / mean(others):.2f})"


if __name__ == "__main__":
    main()
