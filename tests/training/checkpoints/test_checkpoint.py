"""Laws of the checkpoint file: atomic, loadable without running code, refused when it does not fit."""

import gzip
import math
import os
from dataclasses import fields
from pathlib import Path

import pytest
import torch

from phase2.errors import ModelFileError, PreemptedError
from phase2.testing.tensor_files import alter_tensor_file
from phase2.training.callbacks.base import Callback
from phase2.training.checkpoints.checkpoint import load_checkpoint
from phase2.training.checkpoints.content import VERSION
from phase2.training.checkpoints.newest import newest_checkpoint
from phase2.training.checkpoints.writer import CheckpointSchedule
from phase2.training.interruption import StopRequest
from phase2.training.result import TrainingFiles

FIXTURES = Path(__file__).with_name("fixtures")
ALWAYS = CheckpointSchedule(share=math.inf)


class Stop(Callback):
    def __init__(self, stop):
        self.stop = stop

    def on_step_end(self, event):
        if event.step == 8:
            self.stop.request("the test")


@pytest.fixture
def path(make_trainer, tmp_path):
    """The checkpoint of a training that was stopped inside its second epoch."""
    stop = StopRequest()
    with pytest.raises(PreemptedError):
        make_trainer(callback=Stop(stop), schedule=ALWAYS).fit(stop)
    return tmp_path / "run/checkpoint.pt"


@pytest.fixture
def files(path):
    folder = path.parent
    return TrainingFiles(folder / "best.pt", path, folder / ".checkpoint.previous.pt", folder / "history.json")


def test_position_of_the_training(path):
    checkpoint = load_checkpoint(path)
    assert checkpoint.epoch == 1
    assert len(checkpoint.losses) == 2
    assert checkpoint.step == checkpoint.learner.step == 8
    assert [row.epoch for row in checkpoint.history] == [1]


def _without(name):
    return lambda content: content.pop(name)


def test_every_entry_is_required_and_checked(path):
    for name in torch.load(path, weights_only=True).keys() - {"sha256"}:
        whole = path.read_bytes()
        alter_tensor_file(path, _without(name))
        with pytest.raises(ModelFileError, match=r"checkpoint\.pt"):
            load_checkpoint(path)
        path.write_bytes(whole)
    load_checkpoint(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.update(version=VERSION + 1), "newer phase2"),
        (lambda c: c.update(format="phase2-model"), "not marked 'phase2-checkpoint'"),
        (lambda c: c.update(epoch="1"), "'epoch' is wrong"),
        (lambda c: c["learner"].pop("step"), "step"),
        (lambda c: c["history"][0].update(colour=1), "colour"),
        (lambda c: c["origin"].pop("code"), "code"),
    ],
)
def test_defects_are_named(path, change, said):
    alter_tensor_file(path, change)
    with pytest.raises(ModelFileError) as caught:
        load_checkpoint(path)
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
def test_states_that_do_not_fit_are_refused(path, files, make_trainer, change):
    alter_tensor_file(path, change)
    files.previous.unlink()
    with pytest.raises(ModelFileError):
        make_trainer().resume()


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["learner"]["model"].update({"heads.bias": torch.zeros(7)}),
        lambda c: c["learner"]["optimizer"]["state"][0].update(exp_avg=torch.zeros(7)),
        lambda c: c["learner"]["optimizer"]["state"][0]["exp_avg"].fill_(torch.nan),
        lambda c: c["random"].update(torch=torch.zeros(5056, dtype=torch.uint8)),
        lambda c: c["random"].update(numpy_position=[10**6, 0, 0.0]),
        lambda c: c["losses"].fill_(torch.inf),
    ],
)
def test_a_state_that_does_not_fit_falls_back_to_the_one_before(path, make_trainer, change, caplog):
    alter_tensor_file(path, change)
    whole, again = make_trainer("whole").fit(), make_trainer()
    again.resume()
    assert again.step == 6
    assert "checkpoint before it, step 6" in caplog.text
    assert torch.equal(torch.from_numpy(again.fit().test), torch.from_numpy(whole.test))


def test_a_full_disk_keeps_the_previous_checkpoint(path, make_trainer, monkeypatch):
    whole = path.read_bytes()
    trainer = make_trainer()
    trainer.resume()

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        trainer.fit()
    assert path.read_bytes() == whole
    assert [p.name for p in path.parent.glob(".*.tmp")] == []


def test_every_field_is_kept(path):
    assert {f.name for f in fields(load_checkpoint(path))} <= torch.load(path, weights_only=True).keys()


DAMAGES = {
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda _: b"",
    "a flipped bit": lambda content: content[:5000] + bytes([content[5000] ^ 1]) + content[5001:],
    "another file": lambda _: b"not a checkpoint",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_checkpoint_falls_back_to_the_one_before(path, files, make_trainer, damage, caplog):
    before = load_checkpoint(files.previous)
    assert (before.epoch, before.step) == (1, 6)
    path.write_bytes(damage(path.read_bytes()))
    assert newest_checkpoint(files).step == 6
    assert "checkpoint before it, step 6" in caplog.text
    whole, again = make_trainer("whole").fit(), make_trainer()
    again.resume()
    assert torch.equal(torch.from_numpy(again.fit().test), torch.from_numpy(whole.test))


def test_a_missing_checkpoint_falls_back_to_the_one_before(path, files):
    path.unlink()
    assert newest_checkpoint(files).step == 6


def test_two_damaged_checkpoints_are_an_error(path, files):
    path.write_bytes(b"")
    files.previous.write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"previous\.pt cannot be used"):
        newest_checkpoint(files)


def test_a_disk_that_stores_other_bytes_is_detected_and_the_previous_checkpoint_kept(path, make_trainer, monkeypatch):
    whole = path.read_bytes()
    trainer = make_trainer()
    trainer.resume()
    real = os.fsync

    def fsync(descriptor):
        real(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path.name.startswith(".checkpoint.pt."):
            with path.open("r+b") as file:
                file.seek(1000)
                file.write(b"\xff\x00\xff")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="returned other bytes"):
        trainer.fit()
    assert path.read_bytes() == whole


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_checkpoints_of_every_version_are_read_and_continued(version, make_trainer, configure, data, tmp_path):
    stored = gzip.decompress((FIXTURES / f"v{version}.pt.gz").read_bytes())
    path = tmp_path / "run/checkpoint.pt"
    path.parent.mkdir()
    path.write_bytes(stored)
    assert torch.load(path, weights_only=True)["version"] == version
    # Digests change with every setting that is added, versions of packages with every upgrade; neither is the file's.
    alter_tensor_file(path, lambda content: content.update(config_digest=configure().digest))
    checkpoint = load_checkpoint(path)
    assert (checkpoint.epoch, checkpoint.step, len(checkpoint.losses)) == (1, 8, 2)
    trainer = make_trainer()
    trainer.resume(accepted=("code",))
    result = trainer.fit()
    assert [row.epoch for row in result.history] == [1, 2, 3]
    assert result.history[0] == checkpoint.history[0]
