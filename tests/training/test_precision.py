"""Training in bf16: as accurate as in fp32 within a stated factor, resumed exactly, and recorded."""

import os
import signal

import numpy as np
import pytest
import torch

from phase2.config.schema import EquivariantConfig
from phase2.errors import PreemptedError, RequestError
from phase2.models.files.modelfile import copy_tensors
from phase2.models.precision import check_precision
from phase2.testing.tiny_training import TINY
from phase2.training.callbacks.base import Callback
from phase2.training.interruption import SignalStopRequest
from phase2.training.metrics import score

NETWORKS = [TINY, EquivariantConfig(size="small", channels=(16, 8), layers=1, trunk=16)]
FACTOR = 1.1
"""Largest error of a training in bf16, as a multiple of that in fp32."""


class StopAt(Callback):
    """Asks this process to stop when step n is done."""

    def __init__(self, step):
        self.at = step

    def on_step_end(self, event):
        if event.step == self.at:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("model", NETWORKS, ids=["cgcnn", "e3nn"])
def test_errors_are_those_of_single_precision_within_a_factor(make_trainer, model):
    single = make_trainer("single", epochs=8, model=model).fit()
    half = make_trainer("half", epochs=8, model=model, precision="bf16").fit()
    assert not np.array_equal(half.val, single.val), "bf16 was not used"
    assert score(half.val_metrics) < FACTOR * score(single.val_metrics)
    assert score(half.test_metrics) < FACTOR * score(single.test_metrics)
    assert half.history[-1].train_loss < FACTOR * single.history[-1].train_loss


def test_a_run_in_bf16_that_was_stopped_and_resumed_equals_an_uninterrupted_one(make_trainer):
    whole = make_trainer("whole", precision="bf16").fit()
    with pytest.raises(PreemptedError), SignalStopRequest() as stop:
        make_trainer("stopped", precision="bf16", callback=StopAt(7)).fit(stop)
    again = make_trainer("stopped", precision="bf16")
    again.resume()
    resumed = again.fit()
    np.testing.assert_array_equal(resumed.test, whole.test)
    first, second = copy_tensors(whole.trained.model), copy_tensors(resumed.trained.model)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert {one.dtype for one in first.values() if one.is_floating_point()} == {torch.float32}


def test_a_processor_computes_with_both():
    for precision in ("fp32", "bf16"):
        check_precision(torch.device("cpu"), precision)


def test_a_gpu_without_bf16_is_refused(monkeypatch):
    # There is no GPU of 2018 to try.
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Tesla T4")
    check_precision(torch.device("cuda:0"), "fp32")
    with pytest.raises(RequestError, match=r"Tesla T4 does not compute in bf16.*Leave out --precision"):
        check_precision(torch.device("cuda:0"), "bf16")
