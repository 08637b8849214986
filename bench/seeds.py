"""Mean and spread over seeds of what a training reaches: the table of docs/benchmarks/sample.md.

``python -m bench.seeds [--seeds 42 43 44] [OPTION ...]`` trains once for each seed, one after the other, with the given
options of ``phase2 train``, or with those of ``make run``. The split does not depend on the seed: the spread is that of
initial weights and of the order of the crystals. Both baselines are the same for all seeds; their errors are on the
test crystals, and the median is that of the training labels.
"""

from __future__ import annotations

import argparse
import math
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from phase2.runs.layout import MANIFEST
from phase2.runs.records.manifest import read_manifest
from phase2.runs.report.tables.metrics import MetricsRow, metrics_rows

MAKEFILE = Path(__file__).resolve().parent.parent / "Makefile"
HEADINGS = (
    "property",
    "unit",
    "val MAE",
    "test MAE",
    "gradient boosting",
    "median baseline",
    "better by",
    "test labels",
)


def main() -> None:
    """Train with each seed and print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43, 44])
    chosen, words = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = [_train(words or options_of_make_run(), seed, Path(folder) / str(seed)) for seed in chosen.seeds]
    print(table(runs))


def table(runs: Sequence[Sequence[MetricsRow]]) -> str:
    """The rows of several runs as one Markdown table of means and sample standard deviations."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|---|---|" + "---:|" * (len(HEADINGS) - 2)]
    for rows in zip(*runs, strict=True):
        first = rows[0]
        better = statistics.mean(row.times_better or float("nan") for row in rows)
        cells = (
            first.key,
            first.unit or "-",
            _mean_and_spread([row.val_mae for row in rows]),
            _mean_and_spread([row.test_mae for row in rows]),
            "-" if first.boosting_test_mae is None else f"{first.boosting_test_mae:.3g}",
            "-" if first.baseline_mae is None else f"{first.baseline_mae:.3g}",
            f"{better:.1f} x",
            str(first.count),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _train(words: Sequence[str], seed: int, output: Path) -> list[MetricsRow]:
    command = [sys.executable, "-m", "phase2", "train", *words, "--seed", str(seed), "--output", str(output)]
    subprocess.run(command, check=True, stdout=sys.stderr)
    (manifest,) = (read_manifest(path) for path in output.rglob(MANIFEST))
    return metrics_rows(manifest.val, manifest.test, manifest.baselines)


def options_of_make_run() -> list[str]:
    (words,) = re.findall(r"^RUN \?= (.*)$", MAKEFILE.read_text(), flags=re.MULTILINE)
    return str(words).split()


def _mean_and_spread(values: Sequence[float | None]) -> str:
    """Three digits of the mean, and the sample standard deviation to the same decimal place."""
    numbers = [float("nan") if value is None else value for value in values]
    mean = statistics.mean(numbers)
    spread = statistics.stdev(numbers) if len(numbers) > 1 else 0.0
    decimals = max(0, 2 - math.floor(math.log10(abs(mean)))) if mean and math.isfinite(mean) else 0
    return f"{mean:.{decimals}f} ± {spread:.{decimals}f}"


if __name__ == "__main__":
    main()
