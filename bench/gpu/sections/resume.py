"""Resume on the device: a training stopped in the middle and continued ends where an uninterrupted one does."""

from __future__ import annotations

import dataclasses
import os
import tempfile
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from bench.gpu.attempt import attempt
from bench.gpu.networks import FUSED_KERNELS, PROPERTIES, build, can_be_fused, configuration, one_of_each_size
from bench.gpu.record.rows import LawRow, Network, Row
from bench.gpu.setting import Setting
from bench.gpu.store import PackedData
from phase2.config.schema import RunConfig
from phase2.config.settings import KERNELS_VARIABLE
from phase2.data.splits.split import Split
from phase2.data.targets import TargetScaler
from phase2.errors import PreemptedError
from phase2.models.kernels import PLAIN
from phase2.training.callbacks.base import Callback, StepEnd
from phase2.training.checkpoints.checkpoint import load_checkpoint
from phase2.training.interruption import StopRequest
from phase2.training.result import TrainingFiles
from phase2.training.trainer import Trainer

LAW = "a stopped and resumed training equals an uninterrupted one"
TIMES_REPEAT = 10.0  # how much more than two uninterrupted runs a resumed one may differ, where those do
TRAIN, VAL, BATCH = 64, 16, 8
STOP, END = 11, 20  # steps, in the middle of the second and the third of five epochs of eight steps
QUICK_STOP, QUICK_END = 3, 10


class StopAt(Callback):
    """Request to stop after a step."""

    def __init__(self, step: int, stop: StopRequest) -> None:
        self._step = step
        self._stop = stop

    def on_step_end(self, event: StepEnd) -> None:
        """Ask at that step."""
        if event.step == self._step:
            self._stop.request("the check")


def resume(setting: Setting) -> Iterator[Row]:
    """Train the small networks twice without and once with a stop; bit for bit where two runs are so without."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS is not deterministic
    whole = setting.store.data(PROPERTIES)
    data = _part(whole)
    device = setting.device()
    for network in [n for n in one_of_each_size() if n.size == "small"]:
        config = configuration(network, batch_size=BATCH, epochs=5)
        stops = (QUICK_STOP, QUICK_END) if setting.quick else (STOP, END)
        fused = (FUSED_KERNELS,) if can_be_fused(build(config, data), device) else ()
        for kernels in (PLAIN, *fused):
            os.environ[KERNELS_VARIABLE] = kernels  # a trial might choose others in each training
            for deterministic in (True, False) if device.type == "cuda" else (True,):
                compare = partial(_compared, network, config, data, device, stops, deterministic=deterministic)
                yield from attempt(f"resuming {network.title}, {kernels} kernels", compare)
        del os.environ[KERNELS_VARIABLE]


def _part(data: PackedData) -> PackedData:
    """Keep the first crystals of each part."""
    split = Split(data.split.train[:TRAIN], data.split.val[:VAL], data.split.test[:VAL])
    scaler = TargetScaler.fit(data.targets[split.train], data.scaler.properties)
    return dataclasses.replace(data, split=split, scaler=scaler)


def _compared(
    network: Network,
    config: RunConfig,
    data: PackedData,
    device: torch.device,
    stops: tuple[int, int],
    *,
    deterministic: bool,
) -> Iterator[LawRow]:
    def weights(*at: int) -> Tensor:
        return _trained(config, data, device, at, deterministic=deterministic)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        one, other, resumed = weights(stops[1]), weights(stops[1]), weights(*stops)
    repeat = _gap(other, one)
    algorithms = "deterministic" if deterministic else "default"
    note = "bit for bit" if repeat == 0 else f"two uninterrupted runs differ by {repeat:.1e}"
    lacking = sorted({str(w.message).split(" does not have")[0] for w in caught if "deterministic" in str(w.message)})
    if lacking:
        note += f"; without a deterministic form: {', '.join(lacking)}"
    kernels = "" if os.environ[KERNELS_VARIABLE] == PLAIN else ", fused kernels"
    subject = f"{network.algorithm} {network.size}, {algorithms} algorithms{kernels}"
    yield LawRow.of(LAW, subject, _gap(resumed, one), TIMES_REPEAT * repeat, note)


def _trained(
    config: RunConfig, data: PackedData, device: torch.device, stops: tuple[int, ...], *, deterministic: bool
) -> Tensor:
    """Train up to each stop in turn, continuing from the checkpoint before; return all weights in the last one."""
    with tempfile.TemporaryDirectory() as folder:
        names = ("best.pt", "checkpoint.pt", ".checkpoint.previous.pt", "history.json")
        files = TrainingFiles(*(Path(folder) / name for name in names))
        for k, step in enumerate(stops):
            stop = StopRequest()
            trainer = Trainer(config, data, files, run_id="gpu-check", device=device, callback=StopAt(step, stop))
            torch.use_deterministic_algorithms(deterministic, warn_only=True)
            if k:
                trainer.resume()
            try:
                trainer.fit(stop)
            except PreemptedError:
                continue
            raise RuntimeError(f"The training did not stop after step {step}.")
        learner = load_checkpoint(files.checkpoint).learner
    assert learner.step == stops[-1]
    return torch.cat([t.double().flatten() for t in (*learner.model.values(), *learner.average.values())])


def _gap(found: Tensor, expected: Tensor) -> float:
    """Return the norm of the difference relative to the norm."""
    return float((found - expected).norm() / expected.norm())
