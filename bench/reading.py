"""Reading and predicting at once: structure files read by processes beside the model, against one process for both.

    python -m bench.reading [--files 512] [--algorithm cgcnn] [--level lite]

Files of the embedded sample, drawn anew for each seed, are predicted by a network of random weights in three ways, in
turn: every batch is read and then predicted by one process; read by one process and predicted by another; read by as
many processes as are waited for. The processes were started before, as ``phase2 predict`` starts them while it loads
the model. Processor time tells what a busy machine hides.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import psutil
import torch
from numpy.typing import NDArray

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.sources.registry import open_source
from phase2.data.targets import TargetScaler
from phase2.data.writers.convert import convert, target_of
from phase2.models.build import build_network
from phase2.models.device import choose_device
from phase2.models.files.modelfile import TrainedModel
from phase2.prediction.predicting import predict_structures
from phase2.prediction.predictor import Predictor
from phase2.prediction.reading.graph_reader import GraphReader, ReadGraph, read_graph
from phase2.properties import select_properties

BATCH = 64
WAYS = ("one process reads and predicts", "one process reads, one predicts", "as many read as are waited for")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=512, help="files that are predicted")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--algorithm", default="cgcnn", choices=("cgcnn", "e3nn"))
    parser.add_argument("--level", default="lite")
    parser.add_argument("--device", default="auto")
    chosen = parser.parse_args()
    predictor = _predictor(chosen.algorithm, chosen.level, chosen.device)
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    costs: dict[str, list[float]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as folder, GraphReader(workers=1) as one, GraphReader() as several:
        ways: list[Callable[[Sequence[Path]], object]] = [
            lambda files: _one_process(predictor, files),
            lambda files: predict_structures(predictor, files, batch_size=BATCH, reader=one),
            lambda files: predict_structures(predictor, files, batch_size=BATCH, reader=several),
        ]
        convert(open_source("sample"), Path(folder) / "cif", target_of(Path(folder) / "cif", "cif"))
        every = sorted(Path(folder).glob("cif/*.cif"))
        for way in ways:
            way(every[: 4 * BATCH])
        for seed, (name, way) in itertools.product(chosen.seeds, zip(WAYS, ways, strict=True)):
            drawn = np.random.default_rng(seed).choice(len(every), chosen.files, replace=chosen.files > len(every))
            begin, spent = time.perf_counter(), _processor_seconds()
            way([every[k] for k in drawn])
            rates[name].append(chosen.files / (time.perf_counter() - begin))
            costs[name].append(1e3 * (_processor_seconds() - spent) / chosen.files)
    baseline = next(iter(rates.values()))
    print(f"{chosen.algorithm} {chosen.level} on {predictor.device}, {chosen.files} files, seeds {chosen.seeds}")
    for name, values in rates.items():
        ratios = [value / base for value, base in zip(values, baseline, strict=True)]
        print(
            f"{name:<34} {statistics.median(values):>8.0f} structures/s   {statistics.median(ratios):>6.2f} x"
            f" ({min(ratios):.2f} to {max(ratios):.2f})   {statistics.median(costs[name]):>5.2f} ms of a processor each"
        )
    return 0


def _predictor(algorithm: str, level: str, device: str) -> Predictor:
    config = resolve(RunRequest(algorithm=algorithm, level=level)).config
    torch.manual_seed(0)
    properties = select_properties(config.properties)
    model = build_network(config, len(properties), 12.0).eval()
    labels: NDArray[np.float64] = np.random.default_rng(0).normal(size=(8, len(properties)))
    trained = TrainedModel(
        model=model,
        config=config,
        properties=properties,
        scaler=TargetScaler.fit(labels, properties),
        species=tuple(range(1, 101)),
        mean_neighbors=12.0,
        run_id="bench",
        epoch=1,
        score=1.0,
    )
    return Predictor(trained, Path("bench"), choose_device(device))


def _processor_seconds() -> float:
    """Return the processor time of this process and its readers, seconds."""
    readers = [one.cpu_times() for one in psutil.Process().children()]
    return time.process_time() + sum(one.user + one.system for one in readers)


def _one_process(predictor: Predictor, files: Sequence[Path]) -> None:
    spec = predictor.model.config.data.graph
    for start in range(0, len(files), BATCH):
        read = [read_graph(path, path.name, spec) for path in files[start : start + BATCH]]
        graphs = [one.graph for one in read if isinstance(one, ReadGraph)]
        predictor.assess_graphs(PackedGraphs.concatenate(graphs))


if __name__ == "__main__":
    raise SystemExit(main())
