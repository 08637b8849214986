"""Prediction from packed graphs, by the size of the batch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from bench.gpu.attempt import attempt
from bench.gpu.networks import FEATURES, PROPERTIES, build, configuration, one_of_each_size
from bench.gpu.record.rows import Network, PredictionRow, Row
from bench.gpu.setting import Setting
from bench.gpu.store import PackedData
from bench.gpu.timing import measure, peak_memory
from phase2.models.files.modelfile import TrainedModel
from phase2.prediction.predictor import Predictor
from phase2.training.loader import mean_neighbors, species_in

BATCHES = (64, 256, 1024)
QUICK_BATCHES = (8,)


def prediction(setting: Setting) -> Iterator[Row]:
    """Measure each network and size of batch; one that fails leaves the others to be measured."""
    data = setting.store.data(PROPERTIES)
    for feature in FEATURES:
        for network in one_of_each_size():
            predictor = predictor_of(network, data, setting)
            for size in QUICK_BATCHES if setting.quick else BATCHES:
                row = network.model_copy(update={"batch_size": size, "feature": feature})
                yield from attempt(f"prediction of {row.title}", partial(measured, row, predictor, data, setting))


def predictor_of(network: Network, data: PackedData, setting: Setting) -> Predictor:
    """Make what ``phase2 predict`` computes with, of a network that no training has seen."""
    config, split = configuration(network), data.split
    trained = TrainedModel(
        model=build(config, data).eval(),
        config=config,
        properties=data.scaler.properties,
        scaler=data.scaler,
        species=species_in(data.graphs, split.train),
        mean_neighbors=mean_neighbors(data.graphs, split.train),
        run_id="gpu-check",
        epoch=1,
        score=1.0,
    )
    return Predictor(trained, Path("gpu-check"), setting.device())


def measured(network: Network, predictor: Predictor, data: PackedData, setting: Setting) -> Iterator[PredictionRow]:
    """Measure the prediction of one batch, from the packed graphs to numbers in units on the CPU."""
    count = min(network.batch_size, len(data.graphs))
    graphs = data.graphs.take(np.linspace(0, len(data.graphs) - 1, count).round().astype(np.int64))
    with peak_memory(predictor.device) as peak:
        (batch_ms,) = measure([lambda: predictor.predict_graphs(graphs)], predictor.device, setting)
        yield PredictionRow(
            network=network,
            crystals=count,
            batch_ms=batch_ms,
            crystals_per_second=1e3 * count / batch_ms.median,
            peak_bytes=peak(),
        )
