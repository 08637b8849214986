"""Kernels are chosen by a trial on a copy of the network, named in the manifest, and kept by a run that goes on."""

import copy
import itertools
from dataclasses import replace
from importlib.util import find_spec

import pytest
import torch

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.schema import EquivariantConfig
from phase2.config.settings import wanted_kernels
from phase2.errors import PreemptedError, UnknownNameError
from phase2.models import kernels as known
from phase2.models.build import build_network
from phase2.models.layers import tensor_product
from phase2.models.layers.tensor_product import BondGeometry
from phase2.models.recording import kernels as trials
from phase2.models.recording.kernels import chosen_kernels, try_kernels
from phase2.runs.records.execution import KernelTrial
from phase2.testing.recorder import ForcedRecorder, OperationRecorder
from phase2.training import trainer as trainers
from phase2.training.callbacks.base import Callback
from phase2.training.checkpoints.checkpoint import load_checkpoint
from phase2.training.interruption import StopRequest
from phase2.training.loader import TrainingLoader
from phase2.training.result import TrainingFiles
from phase2.training.trainer import Trainer

SMALL = EquivariantConfig(size="small", channels=(4, 2), layers=1, trunk=4, second_order=2, readout_layers="all")


class Timed(OperationRecorder):
    """Recorder that tells the times of these passes, one after the other."""

    trial_steps = 1

    def __init__(self, *times):
        super().__init__()
        self.times = iter(times)

    def milliseconds(self, work):
        return work(), next(self.times)


@pytest.fixture
def config():
    config = resolve(RunRequest(algorithm="e3nn", level="smoke")).config
    training = config.training.model_copy(update={"batch_size": 8, "epochs": 2})
    return config.model_copy(
        update={"model": SMALL, "training": training, "properties": ("formation_energy", "band_gap", "bulk_modulus")}
    )


@pytest.fixture
def stand_in(monkeypatch):
    """Let the kernels be usable here, and compute as the plain operations do but for rounding; counts their use."""
    used = []
    plain = BondGeometry.from_batch

    def from_batch(batch, highest, kernels="plain"):
        used.append(kernels)
        bonds = plain(batch, highest)
        if kernels == "plain":
            return bonds
        return replace(bonds, blocks={path: block * (1 + 3e-7) for path, block in bonds.blocks.items()})

    monkeypatch.setattr(tensor_product.BondGeometry, "from_batch", from_batch)
    monkeypatch.setattr(trials, "why_not", lambda name, device: "")
    return used


def model_and_batch(config, data):
    torch.manual_seed(0)
    model = build_network(config, 3, 12.0)
    loader = TrainingLoader(data, view=model.view, batch_size=8, seed=1, device=torch.device("cpu"), padding_buckets=2)
    return model, next(loader.epoch(0))


def tried(config, data, *times, recorder=Timed, is_recorded=False):
    model, batch = model_and_batch(config, data)
    return try_kernels(model, batch, recorder(*times), precision="fp32", is_recorded=is_recorded)


@pytest.mark.parametrize(("times", "fastest"), [((2.0, 1.0), "triton"), ((1.0, 2.0), "plain"), ((1.0, 1.0), "plain")])
def test_the_fastest_are_chosen(config, data, stand_in, times, fastest):
    trial = tried(config, data, *times)
    assert trial.milliseconds == dict(zip(("plain", "triton"), times, strict=True))
    assert 0 < trial.gap["triton"] < 1e-5
    assert trial.refused == {}
    assert chosen_kernels(trial, None) == fastest


def test_recorded_passes_are_timed_where_steps_are_recorded(config, data, stand_in):
    assert tried(config, data, recorder=lambda: ForcedRecorder(OperationRecorder()), is_recorded=True).milliseconds == {
        "plain": 1.0,
        "triton": 1.0,
    }


def test_nothing_of_the_training_changes(config, data, stand_in):
    model, batch = model_and_batch(config, data)
    before, random = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    try_kernels(model, batch, Timed(2.0, 1.0), precision="fp32", is_recorded=False)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert torch.equal(torch.get_rng_state(), random)
    assert model.kernels == "plain"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda block: block * 1.001, "they differ from PyTorch's operations by "),
        (lambda block: block * float("nan"), "they differ from PyTorch's operations by inf"),
        (lambda block: block[:0], "Error: "),
    ],
)
def test_wrong_kernels_are_refused(config, data, stand_in, monkeypatch, caplog, wrong, why):
    right = BondGeometry.from_batch

    def from_batch(batch, highest, kernels="plain"):
        bonds = right(batch, highest, "plain")
        return bonds if kernels == "plain" else replace(bonds, blocks={k: wrong(b) for k, b in bonds.blocks.items()})

    monkeypatch.setattr(tensor_product.BondGeometry, "from_batch", from_batch)
    trial = tried(config, data, 2.0, 1.0)
    assert why in trial.refused["triton"]
    assert chosen_kernels(trial, None) == "plain"
    assert "'triton' are not used" in caplog.text


def test_kernels_whose_rehearsal_fails_are_not_tried(config, data, stand_in, caplog):
    model, batch = model_and_batch(config, data)
    trial = try_kernels(
        model, batch, Timed(2.0), precision="fp32", is_recorded=False, rehearse=lambda *_: "the GPU has stopped"
    )
    assert trial.refused == {"triton": "the GPU has stopped"}
    assert "triton" not in stand_in
    assert "'triton' are not used: the GPU has stopped" in caplog.text


def test_nothing_is_timed_where_there_is_nothing_to_choose(config, data):
    trial = tried(config, data)
    assert trial == KernelTrial(refused={"triton": "they need a GPU"})
    assert chosen_kernels(trial, None) == "plain"


def test_a_run_keeps_its_kernels_whatever_is_faster(caplog):
    trial = KernelTrial(milliseconds={"plain": 1.0, "triton": 2.0})
    assert [chosen_kernels(trial, before) for before in ("plain", "triton")] == ["plain", "triton"]
    assert chosen_kernels(KernelTrial(milliseconds={"plain": 2.0, "triton": 1.0}), "plain") == "plain"
    assert not caplog.text


def test_a_run_whose_kernels_are_not_here_goes_on_plainly_and_says_so(caplog):
    assert chosen_kernels(KernelTrial(refused={"triton": "they need a GPU"}), "triton") == "plain"
    assert "goes on with PyTorch's operations (they need a GPU)" in caplog.text
    assert chosen_kernels(KernelTrial(), "of tomorrow") == "plain"


def test_what_is_asked_for_is_taken_where_it_can_be(caplog):
    trial = KernelTrial(milliseconds={"plain": 1.0, "triton": 2.0})
    assert chosen_kernels(trial, None, "triton") == "triton"
    assert chosen_kernels(trial, "plain", "triton") == "plain"  # the run has begun
    assert not caplog.text
    assert chosen_kernels(KernelTrial(), None, "triton") == "plain"
    assert "of $PHASE2_KERNELS are not used" in caplog.text


@pytest.mark.skipif(find_spec("triton") is None, reason="Triton is installed with PyTorch on Linux alone.")
def test_the_variable(monkeypatch):
    gpu = torch.device("cuda")
    for word, wanted, why in (
        ("", None, ""),
        ("auto", None, ""),
        ("triton", "triton", ""),
        ("plain", "plain", "plain"),
    ):
        monkeypatch.setenv("PHASE2_KERNELS", word)
        assert wanted_kernels() == wanted
        assert why in known.why_not("triton", gpu)
        assert bool(known.why_not("triton", gpu)) == bool(why)
    monkeypatch.setenv("PHASE2_KERNELS", "tritn")
    with pytest.raises(UnknownNameError, match="triton"):
        wanted_kernels()


class StopAfter(Callback):
    def __init__(self, step, stop):
        self.step, self.stop = step, stop

    def on_step_end(self, event):
        if event.step == self.step:
            self.stop.request("the test")


@pytest.fixture
def train(tmp_path, data, config, monkeypatch):
    """Train in a folder up to a step, or to the end, with these times of the trial; return trainer and result."""

    def train(name, times, *, until=None, resume=False):
        recorder = itertools.repeat(None) if times is None else (Timed(*times) for _ in itertools.count())
        monkeypatch.setattr(trainers, "recorder_for", lambda device: next(recorder))
        monkeypatch.setattr(trainers, "rehearse", lambda *_: "")
        names = ("best.pt", "checkpoint.pt", ".checkpoint.previous.pt", "history.json")
        stop = StopRequest()
        callback = StopAfter(until, stop)
        files = TrainingFiles(*(tmp_path / name / file for file in names))
        trainer = Trainer(config, data, files, run_id="run_1", callback=callback)
        if resume:
            trainer.resume()
        if until is None:
            return files, trainer.fit(stop)
        with pytest.raises(PreemptedError):
            trainer.fit(stop)
        return files, None

    return train


def test_a_resumed_run_ends_where_it_would_have_ended(train, stand_in, caplog):
    files, whole = train("whole", (2.0, 1.0))
    assert whole.execution.kernels == "triton"
    assert whole.execution.kernel_trial.milliseconds == {"plain": 2.0, "triton": 1.0}
    stopped, _ = train("stopped", (2.0, 1.0), until=3)
    assert load_checkpoint(stopped.checkpoint).origin.machine["kernels"] == "triton"
    stopped, resumed = train("stopped", (1.0, 2.0), resume=True)  # plain is faster today
    assert resumed.execution.kernels == "triton"
    one, other = (load_checkpoint(f.checkpoint).learner.model for f in (files, stopped))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert "Another machine" not in caplog.text
    _, plain = train("plain", (1.0, 2.0))
    assert plain.execution.kernels == "plain"
    caplog.clear()
    _, finished = train("whole", (), resume=True)  # a finished training tries nothing
    assert finished.execution.kernels == "triton"
    assert not caplog.text
    assert any(not torch.equal(one[n], t) for n, t in plain.trained.model.state_dict().items() if n in one)


def test_it_goes_on_without_them(train, stand_in, caplog, monkeypatch):
    train("run", (2.0, 1.0), until=3)
    monkeypatch.setattr(trials, "why_not", known.why_not)
    files, resumed = train("run", (), resume=True)
    assert resumed.execution.kernels == "plain"
    assert "goes on with PyTorch's operations (they need a GPU)" in caplog.text
    assert "kernels" not in load_checkpoint(files.checkpoint).origin.machine


def test_on_a_cpu_nothing_is_tried(train, stand_in):
    files, result = train("run", None)
    assert set(stand_in) == {"plain"}
    assert result.execution.kernels == "plain"
    assert result.execution.kernel_trial is None
    assert "kernels" not in load_checkpoint(files.checkpoint).origin.machine
