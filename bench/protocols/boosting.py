"""Gradient boosting on the crystals of a study: ``python -m bench.protocols.boosting --study NAME --data PATH``.

It is fitted to the training parts of the runs of one property, and evaluated on the same held-out crystals.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.published_split import part_file
from bench.study.declared import STUDIES
from bench.study.declared.jarvis_dft import JARVIS_DFT
from bench.study.declared.learning_curve import LEARNING_CURVE, SIZES
from bench.study.rows import SEEDS, Study
from bench.study.tables import mean_and_spread
from phase2.baselines.boosting import predict_by_boosting
from phase2.baselines.fitting import mean_absolute_error
from phase2.config.resolve import resolve
from phase2.config.schema import DataConfig
from phase2.data.dataset import CrystalPropertyDataset, open_graph_store
from phase2.data.graphs.packed import PackedGraphs
from phase2.errors import Phase2Error
from phase2.properties import KEYS, get_property
from phase2.runs.report.markdown import markup_table

VARIANTS: dict[str, tuple[str, ...]] = {LEARNING_CURVE.name: tuple(SIZES), JARVIS_DFT.name: ("default",)}
"""Variants of each study that differ in their crystals."""


def main() -> int:
    """Fit all variants and print the table of held-out errors, each row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="your file with a published split")
    parser.add_argument("--study", choices=tuple(VARIANTS), default=LEARNING_CURVE.name)
    parser.add_argument("--variants", nargs="+", metavar="NAME", help="by default those with crystals of their own")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43, 44])
    chosen = parser.parse_args()
    study = STUDIES[chosen.study]
    columns = ("gradient boosting, held-out MAE", *(get_property(key).heading for key in study.alone))
    print(markup_table(columns, [], numeric=len(study.alone)), flush=True)
    try:
        for variant in chosen.variants or VARIANTS[study.name]:
            row = [variant, *(_cell(study, chosen.data, variant, key, chosen.seeds) for key in study.alone)]
            print(markup_table(columns, [row], numeric=len(study.alone)).splitlines()[-1], flush=True)
    except Phase2Error as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _cell(study: Study, data: Path, variant: str, key: str, seeds: Sequence[int]) -> str:
    dataset = with_heldout(study, data, variant, key)
    labels = dataset.targets[dataset.split.test][:, 0]
    predicted = (predict_by_boosting(dataset, seed=seed).test[:, 0] for seed in seeds)
    return mean_and_spread([error for one in predicted if (error := mean_absolute_error(one, labels)) is not None])


def with_heldout(study: Study, data: Path, variant: str, key: str) -> CrystalPropertyDataset:
    """Return the crystals of a study's run of one property, with the held-out part as test part.

    Args:
        study: A study of a file with a published split.
        data: The file.
        variant: Name of the variant, which decides how many crystals there are.
        key: The property.

    Raises:
        UnknownNameError: The study has no such variant.
    """
    source = str(part_file(data, *study.seen))
    (run,) = study.runs([f"{study.variant(variant).name}/{study.alone[key]}"], SEEDS[:1], data=source)
    used = resolve(run.request()).config.data
    config = DataConfig(source=source, max_samples=used.max_samples, fractions=used.fractions)
    dataset = CrystalPropertyDataset.load(config, [key])
    heldout_file = str(part_file(data, study.heldout))
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
