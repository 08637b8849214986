"""The other processes that train a run together with the first one, which leads."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from phase2.machine.hardware import thread_count
from phase2.models.device import choose_device
from phase2.runs.records.run_config import RecordedConfig
from phase2.storage.records import parse_record
from phase2.training.fine_tuning.start import StartingPoint, inherit_normalisation
from phase2.training.result import TrainingFiles
from phase2.training.run.experiment import RunContext, load_dataset
from phase2.training.trainer import Trainer

_NOT_WRITTEN = TrainingFiles(*[Path(os.devnull)] * 4)


def follow_run(context: RunContext) -> None:
    """Train a share of every batch of the run that the first process leads; nothing is written.

    Args:
        context: Settings of this process; its group has more than one.

    Raises:
        DataError: The data cannot be used.
        ModelFileError: This process has other data than the first.
        PreemptedError: A stop was requested; the first process writes the checkpoint.
        RequestError: The training diverged.
        TransientError: Another process has ended.
    """
    device = choose_device(context.device)
    torch.set_num_threads(thread_count())
    sent = context.group.send(b"")
    if not sent:
        return
    recorded = parse_record(sent, RecordedConfig, where="The configuration that the first process sent")
    trainer = Trainer(
        recorded.config,
        inherit_normalisation(load_dataset(recorded.config, context), recorded.lineage),
        _NOT_WRITTEN,
        run_id=recorded.run_id,
        device=device,
        start=StartingPoint.of(recorded.config, recorded.lineage, with_weights=False),
        group=context.group,
    )
    trainer.follow(context.stop)
