"""Kernels are tried in another process first, which ends in whatever way they do."""

import os
import signal
import time
from collections.abc import Callable
from typing import ClassVar

import pytest
import torch
from torch import nn

from phase2.models.base import CrystalModel
from phase2.models.recording import rehearsal
from phase2.models.recording.rehearsal import rehearse
from phase2.testing.tiny_training import tiny_data
from phase2.training.loader import TrainingLoader


def fail():
    raise RuntimeError("an illegal memory access was encountered")


ENDS: dict[str, Callable[[], None]] = {
    "well": lambda: None,
    "signal": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "error": fail,
    "never": lambda: time.sleep(600),
}


class Network(CrystalModel):
    """Network whose fused kernels end as its attribute says."""

    view = "crystal"
    implementations: ClassVar = ("plain", "triton")

    def __init__(self, end):
        super().__init__()
        self.end = end
        self.weight = nn.Parameter(torch.ones(1))

    def embed(self, batch):
        if self.kernels == "triton":
            ENDS[self.end]()
        return batch.positions.sum() * self.weight


@pytest.fixture(scope="module")
def batch():
    loader = TrainingLoader(tiny_data(), view="crystal", batch_size=8, seed=1, device=torch.device("cpu"))
    return next(loader.epoch(0))


@pytest.mark.parametrize(
    ("end", "why"),
    [
        ("well", ""),
        ("signal", "their rehearsal was ended by SIGSEGV"),
        ("error", "RuntimeError: an illegal memory access was encountered"),
    ],
)
def test_the_end_of_a_rehearsal_is_told(batch, end, why):
    model = Network(end)
    assert rehearse(model, batch, "triton", "fp32") == why
    assert model.kernels == "plain"
    assert model.weight.grad is None


def test_one_that_never_ends_is_ended(batch, monkeypatch):
    monkeypatch.setattr(rehearsal, "PATIENCE", 0.5)
    assert rehearse(Network("never"), batch, "triton", "fp32") == "their rehearsal took longer than 0.5 s"
