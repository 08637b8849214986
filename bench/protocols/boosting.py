"""Gradient boosting on the crystals of a learning curve: ``python -m bench.protocols.boosting --data PATH``.

It is fitted to the training parts of the study ``learning-curve``, and evaluated on the same held-out crystals.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.published_split import part_file
from bench.study.declared.learning_curve import LEARNING_CURVE, SIZES
from bench.study.tables import mean_and_spread
from phase2.baselines.boosting import predict_by_boosting
from phase2.baselines.fitting import mean_absolute_error
from phase2.config.schema import DataConfig
from phase2.data.dataset import CrystalPropertyDataset, open_graph_store
from phase2.data.graphs.packed import PackedGraphs
from phase2.errors import Phase2Error
from phase2.properties import CORE, KEYS, get_property
from phase2.runs.report.markdown import markup_table


def main() -> int:
    """Fit all sizes and print the table of held-out errors, each row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="your file with a published split")
    parser.add_argument("--sizes", nargs="+", choices=tuple(SIZES), default=list(SIZES), help="training crystals")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43, 44])
    chosen = parser.parse_args()
    columns = ("gradient boosting, held-out MAE", *(get_property(key).heading for key in CORE))
    print(markup_table(columns, [], numeric=len(CORE)), flush=True)
    try:
        for size in chosen.sizes:
            row = [size, *(_cell(chosen.data, size, key, chosen.seeds) for key in CORE)]
            print(markup_table(columns, [row], numeric=len(CORE)).splitlines()[-1], flush=True)
    except Phase2Error as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _cell(data: Path, size: str, key: str, seeds: Sequence[int]) -> str:
    dataset = with_heldout(data, size, key)
    labels = dataset.targets[dataset.split.test][:, 0]
    predicted = (predict_by_boosting(dataset, seed=seed).test[:, 0] for seed in seeds)
    return mean_and_spread([error for one in predicted if (error := mean_absolute_error(one, labels)) is not None])


def with_heldout(data: Path, size: str, key: str) -> CrystalPropertyDataset:
    """Return the crystals of a run of one property of the learning curve, with the held-out part as test part.

    Args:
        data: File with a published split.
        size: Name of the number of training crystals.
        key: The property.
    """
    source = str(part_file(data, *LEARNING_CURVE.seen))
    config = DataConfig(source=source, max_samples=SIZES[size][0], fractions=(0.9, 0.05, 0.05))
    dataset = CrystalPropertyDataset.load(config, [key])
    heldout_file = str(part_file(data, LEARNING_CURVE.heldout))
    heldout = open_graph_store(DataConfig(source=heldout_file)).graphs
    labels = np.asarray(heldout.targets, dtype=np.float64)[:, [KEYS.index(key)]]
    graphs = PackedGraphs.concatenate([dataset.graphs, heldout])
    test = np.arange(len(dataset.graphs), len(graphs))
    return replace(
        dataset,
        graphs=graphs,
        targets=np.concatenate([dataset.targets, labels]),
        split=replace(dataset.split, test=test),
    )


if __name__ == "__main__":
    sys.exit(main())
