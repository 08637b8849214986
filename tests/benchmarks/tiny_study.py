"""A study that takes seconds, and a program that trains it: ``tests.benchmarks.tiny_study STORE OUTPUT``."""

import sys
from pathlib import Path

from bench.study.rows import Study, Variant
from bench.study.runner import train_missing

TINY = Study(
    name="tiny",
    question="Does a study that was killed continue?",
    epochs=30,
    settings=("model.size=small", "model.channels=[4,2]", "model.layers=1", "data.max_samples=60"),
    targets={"band_gap": ("band_gap",), "both": ("formation_energy", "band_gap")},
    variants=(
        Variant("plain", "The settings of the study."),
        Variant("further", "A property by itself.", alone="plain", epochs=3, source="plain/both"),
    ),
)
RUNS = TINY.runs(["plain", "further/band_gap"], [42], data="sample")

if __name__ == "__main__":
    sys.exit(train_missing(RUNS, sys.argv[1], Path(sys.argv[2])))
