"""Laws of the checkpoint file: whole or not at all, loadable without running code, refused when it does not fit."""

import os
from dataclasses import fields

import pytest
import torch

from phase2.errors import ModelFileError, PreemptedError
from phase2.training.checkpoint import load_checkpoint
from phase2.training.progress import Silent


class Stop(Silent):
    def step(self, done):
        if done == 8:
            os.kill(os.getpid(), 15)


@pytest.fixture
def path(make_trainer, tmp_path):
    """The checkpoint of a training that was stopped inside its second epoch."""
    with pytest.raises(PreemptedError):
        make_trainer(reporter=Stop()).fit()
    return tmp_path / "run/checkpoint.pt"


@pytest.fixture
def load(configure, data):
    def read(path):
        return load_checkpoint(path, config_digest=configure().digest, data_fingerprint=data.fingerprint)

    return read


def alter(path, change):
    content = torch.load(path, weights_only=True)
    change(content)
    torch.save(content, path)


def test_says_where_training_stands(path, load):
    checkpoint = load(path)
    assert checkpoint.epoch == 1
    assert len(checkpoint.losses) == 2
    assert checkpoint.learner.step == 8
    assert [row.epoch for row in checkpoint.history] == [1]


def test_everything_in_it_is_needed_and_checked(path, load):
    for name in torch.load(path, weights_only=True):
        whole = path.read_bytes()
        alter(path, lambda content, name=name: content.pop(name))
        with pytest.raises(ModelFileError, match=r"checkpoint\.pt"):
            load(path)
        path.write_bytes(whole)
    load(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.update(version=2), "newer phase2"),
        (lambda c: c.update(format="phase2-model"), "not marked 'phase2-checkpoint'"),
        (lambda c: c.update(epoch="1"), "'epoch' is str"),
        (lambda c: c["learner"].pop("step"), "step"),
        (lambda c: c["history"][0].update(colour=1), "colour"),
    ],
)
def test_defects_are_named(path, load, change, said):
    alter(path, change)
    with pytest.raises(ModelFileError) as caught:
        load(path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["learner"]["model"].popitem(),
        lambda c: c["learner"]["optimizer"]["param_groups"].pop(),
        lambda c: c["learner"]["optimizer"].clear(),
        lambda c: c["learner"]["balancer"].update(log_variance=torch.zeros(7)),
    ],
)
def test_states_that_do_not_fit_are_refused(path, make_trainer, change):
    alter(path, change)
    with pytest.raises(ModelFileError):
        make_trainer().resume()


def test_a_full_disk_leaves_the_checkpoint_before(path, load, make_trainer, monkeypatch):
    whole = path.read_bytes()
    trainer = make_trainer()
    trainer.resume()

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        trainer.fit()
    assert path.read_bytes() == whole
    assert [p.name for p in path.parent.glob(".*")] == []


def test_every_field_is_kept(path, load):
    assert {f.name for f in fields(load(path))} <= torch.load(path, weights_only=True).keys()
