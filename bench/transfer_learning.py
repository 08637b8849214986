"""Fine-tuning against training from scratch: ``python -m bench.transfer_learning [--target dielectric]``.

One run is trained on formation energies of the embedded sample. From its weights, and from random ones, the same runs
are then trained on a property with few labels, with equal epochs, seeds and splits. The test part is the same crystals
for both, and none of them was trained on by the first run, for one split serves all properties. Errors are means over
the seeds with their sample standard deviation.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from phase2.runs.layout import MANIFEST
from phase2.runs.records.manifest import RunManifest, read_manifest

SOURCE = "formation_energy"
WAYS: dict[str, tuple[str, ...]] = {
    "backbone frozen": ("--freeze", "backbone"),
    "all trained": (),
    "backbone at 0.3 of the rate": ("--set", "fine_tuning.backbone_lr=0.3"),
    "backbone from epoch 11, at 0.3": (
        *("--set", "fine_tuning.unfreeze_epoch=11"),
        *("--set", "fine_tuning.backbone_lr=0.3"),
    ),
}


def main() -> None:
    """Train all runs and print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="dielectric")
    parser.add_argument("--samples", type=int, nargs="+", default=[300, 100_000], help="crystals with that label")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43, 44])
    parser.add_argument("--source-epochs", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--network", nargs="+", default=["--algorithm", "cgcnn", "--level", "std"])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = [*chosen.network, "--epochs", str(chosen.source_epochs), "--properties", SOURCE]
        source = _train(words, folder / "source")
        print(f"source: {SOURCE}, val {source.val[0].mae:.4f} {source.val[0].unit}\n")
        print("| labels to train on | start | val MAE | test MAE | test labels |\n|---:|---|---:|---:|---:|")
        (path,) = (folder / "source").glob("*/run_*")
        for samples in chosen.samples:
            for way, options in {"from scratch": (), **{k: ("--from", str(path), *v) for k, v in WAYS.items()}}.items():
                request = [*chosen.network, "--properties", chosen.target, "--max-samples", str(samples), *options]
                request += ["--epochs", str(chosen.epochs)]
                _print_row(
                    way, [_train([*request, "--seed", str(s)], folder / f"{samples}{way}{s}") for s in chosen.seeds]
                )


def _print_row(way: str, runs: Sequence[RunManifest]) -> None:
    labels = 0 if runs[0].data is None else sum(runs[0].data.labels["train"].values())
    val, test = ([getattr(run, part)[0].mae for run in runs] for part in ("val", "test"))
    print(f"| {labels} | {way} | {_spread(val)} | {_spread(test)} | {runs[0].test[0].count} |", flush=True)


def _spread(values: Sequence[float]) -> str:
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.3g} ± {spread:.2g}"


def _train(words: Sequence[str], output: Path) -> RunManifest:
    command = [sys.executable, "-m", "phase2", "train", *words, "--output", str(output)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (manifest,) = (read_manifest(path) for path in output.rglob(MANIFEST))
    return manifest


if __name__ == "__main__":
    main()
