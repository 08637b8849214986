"""What a split costs: the same small network trained and tested on each split of a data set.

The baseline is the random split: each error is printed beside its ratio to that. Beside them stand the size of the test
part and how much of it is nearly in the training part.
"""

import argparse
import tempfile
from pathlib import Path

from phase2.config.request import RunRequest
from phase2.config.resolve import resolve
from phase2.runs.manifest import RunManifest
from phase2.runs.report.markdown import number, table
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
    """Print one row per split."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="sample")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--split", nargs="*", default=SPLITS, help="Splits; the first is the baseline.")
    given = parser.parse_args()
    found: list[tuple[str, RunManifest]] = []
    with tempfile.TemporaryDirectory() as folder:
        for split in given.split:
            request = RunRequest(
                algorithm="cgcnn", level="smoke", data=given.data, split=split, epochs=given.epochs,
                max_samples=10**6, properties=PROPERTIES, output=Path(folder),
            )  # fmt: skip
            run = train_run(resolve(request), context=RunContext(with_baselines=False))
            found.append((split, run.manifest))
    columns = ("split", "test", "twins", "near", "same formula", *(f"{key} [ratio]" for key in PROPERTIES))
    print(table(columns, [_row(split, one, found[0][1]) for split, one in found], numeric=len(columns) - 1))


def _row(split: str, manifest: RunManifest, baseline: RunManifest) -> list[str]:
    leakage = manifest.leakage
    if leakage is None:
        raise ValueError(f"the run with the split {split} did not measure its leakage")
    return [
        split,
        f"{leakage.test:,}",
        str(leakage.twins),
        str(leakage.near_twins),
        f"{100 * leakage.same_composition / leakage.test:.0f} %",
        *(_error(key, manifest, baseline) for key in PROPERTIES),
    ]


def _error(key: str, manifest: RunManifest, baseline: RunManifest) -> str:
    mae, other = (next((row.mae for row in one.test if row.key == key), None) for one in (manifest, baseline))
    return "-" if mae is None or not other else f"{number(mae)} [{mae / other:.2f}]"


if __name__ == "__main__":
    main()
