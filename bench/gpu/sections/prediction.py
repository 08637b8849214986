"""Prediction from packed graphs: many batches, with and without what makes them faster."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.gpu.attempt import attempt
from bench.gpu.networks import PROPERTIES, RECORDED, build, configuration, one_of_each_size
from bench.gpu.record.rows import LawRow, Network, PredictionRow, Row
from bench.gpu.sections.laws import SAME_OUTPUT
from bench.gpu.setting import Setting
from bench.gpu.store import PackedData
from bench.gpu.timing import measure, peak_memory
from phase2.models.files.modelfile import TrainedModel
from phase2.models.recording.recorder import recorder_for
from phase2.prediction.predictor import Predictor
from phase2.testing.recorder import ForcedRecorder, OperationRecorder
from phase2.training.loader import mean_neighbors, species_in

SAME = "what makes predictions faster does not change them"
EAGER = "eager"
PREDICTED = {EAGER: (0, False), "padded": (4, False), "padded, on device": (4, True), RECORDED: (4, True)}
"""Features of prediction: sizes of padding, and whether the graphs are on the device."""

GOALS = {("cgcnn", "small"): 20_000.0, ("e3nn", "medium"): 3_000.0}
"""Crystals per second that a GPU should reach; these networks are measured with every feature and larger batches."""

BATCH, LARGE_BATCH, QUICK_BATCH = 64, 512, 4
BATCHES, QUICK_BATCHES = 8, 3  # per call


def prediction(setting: Setting) -> Iterator[Row]:
    """Measure each network as it is and recorded, some in more ways; one that fails leaves the others."""
    data = setting.store.data(PROPERTIES)
    for network in predicted(quick=setting.quick):
        yield from attempt(
            f"prediction of {network.title}, {network.feature}", partial(measured, network, data, setting)
        )


def predicted(*, quick: bool) -> list[Network]:
    """List the networks with the batches and features that they predict with."""
    size = QUICK_BATCH if quick else BATCH
    rows = []
    for network in one_of_each_size():
        with_all = (network.algorithm, network.size) in GOALS
        features = list(PREDICTED) if with_all else [EAGER] if quick else [EAGER, RECORDED]
        rows += [network.model_copy(update={"batch_size": size, "feature": feature}) for feature in features]
        if with_all and not quick:
            large = [EAGER, RECORDED]
            rows += [network.model_copy(update={"batch_size": LARGE_BATCH, "feature": feature}) for feature in large]
    return rows


def predictor_of(network: Network, data: PackedData, setting: Setting) -> Predictor:
    """Make what ``phase2 predict`` computes with, of a network that no training has seen."""
    config, split, device = configuration(network), data.split, setting.device()
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
    buckets, resident = PREDICTED[network.feature]
    recorder = ForcedRecorder(recorder_for(device) or OperationRecorder())
    predictor = Predictor(
        trained, Path("gpu-check"), device, padding_buckets=buckets, resident=resident, recorder=recorder
    )
    if network.feature != RECORDED:
        predictor.forward.recorded = None
    return predictor


def measured(network: Network, data: PackedData, setting: Setting) -> Iterator[Row]:
    """Measure a few batches, from the packed graphs to numbers in units on the CPU; the time is that of one batch."""
    predictor = predictor_of(network, data, setting)
    batches = QUICK_BATCHES if setting.quick else BATCHES
    count = min(network.batch_size * batches, len(data.graphs))
    index = np.linspace(0, len(data.graphs) - 1, count).round().astype(np.int64)

    def work() -> NDArray[np.float64]:
        return predictor.predict_graphs(data.graphs, index, batch_size=network.batch_size)

    recorded = predictor.forward.recorded
    while recorded is not None and recorded.trial is None:
        work()
        recorded = predictor.forward.recorded
    if recorded is not None and recorded.trial is not None and recorded.trial.refused is not None:
        raise RuntimeError(recorded.trial.refused)
    if network.feature != EAGER:
        plain = predictor_of(network.model_copy(update={"feature": EAGER}), data, setting)
        expected = plain.predict_graphs(data.graphs, index, batch_size=network.batch_size)
        gap = float((np.abs(work() - expected).max(axis=0) / np.abs(expected).max(axis=0)).max())
        yield LawRow.of(SAME, f"{network.algorithm} {network.size}, {network.feature}", gap, SAME_OUTPUT)
    with peak_memory(predictor.device) as peak:
        (call_ms,) = measure([work], predictor.device, setting)
        n = -(-count // network.batch_size)
        yield PredictionRow(
            network=network,
            crystals=round(count / n),
            batch_ms=call_ms.scaled(1 / n),
            crystals_per_second=1e3 * count / call_ms.median,
            peak_bytes=peak(),
        )
