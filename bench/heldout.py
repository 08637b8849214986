"""Errors of trained models on crystals that they have never seen: ``python -m bench.heldout MODEL ... --data PATH``.

A model is a ``best.pt``, the folder of a run or its address in a store. With ``--split val`` only the records of that
part of a file with a published split are predicted; without it, all of the data set. The median is that of the labels
that the model was trained on.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bench.published_split import part_file
from phase2.data.graphs.packing import pack_valid
from phase2.data.sources.base import LabelledCrystal
from phase2.data.sources.registry import open_source
from phase2.errors import DataError, InvalidCrystalError, Phase2Error
from phase2.machine.hardware import thread_count
from phase2.prediction.predictor import Predictor
from phase2.properties import KEYS, PROPERTIES, Property
from phase2.runs.addresses import model_file_at
from phase2.runs.records.results import PropertyMetrics
from phase2.runs.report.markdown import markup_table, number
from phase2.training.metrics import evaluate


def main() -> int:
    """Print a table for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="best.pt, folder or address of a run")
    parser.add_argument("--data", required=True, help="data set or path")
    parser.add_argument("--split", help="part of a file with a published split; all of the data without it")
    chosen = parser.parse_args()
    try:
        data = str(part_file(Path(chosen.data), chosen.split)) if chosen.split else chosen.data
        for address in chosen.models:
            print(f"{address}:\n\n{_table(predict_heldout(model_file_at(address), data))}\n", flush=True)
    except Phase2Error as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


@dataclass(frozen=True, slots=True, eq=False)
class Heldout:
    """Predictions of a model for crystals that it has not seen.

    Attributes:
        properties: The P properties of the model.
        predictions: Shape (B, P), float64, in the properties' units.
        labels: Shape (B, P), float64, in the properties' units; NaN where missing.
        median: Median of the training labels, shape (P,), float64.
    """

    properties: tuple[Property, ...]
    predictions: NDArray[np.float64]
    labels: NDArray[np.float64]
    median: NDArray[np.float64]

    def errors(self) -> tuple[PropertyMetrics, ...]:
        """Return the errors of each property."""
        return evaluate(self.predictions, self.labels, self.properties, self.median)


def predict_heldout(model: Path, data: str, *, batch_size: int = 64) -> Heldout:
    """Predict every crystal of a data set; records that are no valid crystal are left out.

    Args:
        model: Model file.
        data: Name or path of a data set, none of which the model was trained on.
        batch_size: Crystals per batch.

    Raises:
        ModelFileError: The model cannot be read.
        DataError: The data cannot be read, or hold no valid crystal.
    """
    torch.set_num_threads(thread_count())
    predictor = Predictor.load(model)
    properties = tuple(predictor.model.properties)
    known = (*PROPERTIES, *(prop for prop in properties if prop.key not in KEYS))
    keys = [prop.key for prop in known]
    columns = [keys.index(prop.key) for prop in properties]
    predictions, labels = [], []
    crystals = _valid_crystals(data, known)
    while batch := list(itertools.islice(crystals, batch_size)):
        graphs, _ = pack_valid(batch, predictor.model.config.data.graph)
        if len(graphs):
            predictions.append(predictor.predict_graphs(graphs))
            labels.append(graphs.targets[:, columns].astype(np.float64))
    if not predictions:
        raise DataError(f"{data} has no valid crystal.", fix="Check the path.")
    median = predictor.model.scaler.baseline()
    return Heldout(properties, np.concatenate(predictions), np.concatenate(labels), median)


def _valid_crystals(data: str, properties: Sequence[Property]) -> Iterator[LabelledCrystal]:
    source = open_source(data, properties=properties)
    for raw in source.records():
        try:
            yield source.parse(raw)
        except InvalidCrystalError:
            continue


def _table(found: Heldout) -> str:
    rows = [
        (prop.heading, number(one.mae), number(one.rmse), number(one.baseline_mae), str(one.count))
        for prop, one in zip(found.properties, found.errors(), strict=True)
    ]
    return markup_table(("property", "MAE", "RMSE", "MAE of the median", "labels"), rows, numeric=4)


if __name__ == "__main__":
    sys.exit(main())
