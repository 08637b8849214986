"""Laws of the training loop: it learns, keeps the best model, and a resumed run equals an uninterrupted one."""

import json
import math
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from phase2.config.schema import CgcnnConfig
from phase2.data.batching import collate
from phase2.errors import ModelFileError, PreemptedError, RequestError
from phase2.models.files.modelfile import copy_tensors, load_model_file
from phase2.training.callbacks.base import Callback
from phase2.training.checkpoints.checkpoint import dump_checkpoint
from phase2.training.checkpoints.writer import CheckpointSchedule
from phase2.training.interruption import SignalStopRequest, StopRequest
from phase2.training.metrics import score
from phase2.training.result import TrainingFiles
from phase2.training.trainer import Trainer

TIMES = ("seconds", "structures_per_second", "data_wait")


class SignalAt(Callback):
    """Sends this process a signal when step n is done."""

    def __init__(self, step, number=signal.SIGTERM):
        self.at = step
        self.number = number

    def on_step_end(self, event):
        if event.step == self.at:
            os.kill(os.getpid(), self.number)


class KilledAfterEpoch(Callback):
    """Dies, as of a power cut, when epoch n is saved."""

    def __init__(self, epoch):
        self.at = epoch

    def on_epoch_end(self, event):
        if event.row.epoch == self.at:
            raise MemoryError


def fit_until_signal(trainer):
    with SignalStopRequest() as stop:
        return trainer.fit(stop)


def timeless(history):
    return [{k: v for k, v in asdict(row).items() if k not in TIMES} for row in history]


def assert_same(a, b):
    assert timeless(a.history) == timeless(b.history)
    np.testing.assert_array_equal(a.val, b.val)
    np.testing.assert_array_equal(a.test, b.test)
    assert (a.trained.epoch, a.trained.score) == (b.trained.epoch, b.trained.score)
    first, second = copy_tensors(a.trained.model), copy_tensors(b.trained.model)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_learns(make_trainer):
    result = make_trainer(epochs=30).fit()
    assert result.history[-1].train_loss < 0.6 * result.history[0].train_loss
    assert score(result.val_metrics) < 0.9


def test_equal_runs_are_equal(make_trainer):
    assert_same(make_trainer("a").fit(), make_trainer("b").fit())


SCHEDULES = {
    "every step": CheckpointSchedule(minutes=0),
    "every epoch": CheckpointSchedule(share=math.inf),
    "rarely": CheckpointSchedule(share=0),
}


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("epoch", [1, 2])
@pytest.mark.parametrize("balance", ["equal", "uncertainty", "famo"])
def test_a_run_killed_after_an_epoch_and_resumed_equals_an_uninterrupted_one(
    make_trainer, balance, epoch, schedule, tmp_path
):
    whole = make_trainer("whole", balance=balance).fit()
    with pytest.raises(MemoryError):
        make_trainer("killed", balance=balance, callback=KilledAfterEpoch(epoch), schedule=schedule).fit()
    if not (tmp_path / "killed/checkpoint.pt").exists():
        assert schedule is SCHEDULES["rarely"]
        return
    again = make_trainer("killed", balance=balance)
    again.resume()
    assert_same(again.fit(), whole)


@pytest.mark.parametrize("step", [1, 5, 6, 8])
def test_a_run_stopped_inside_an_epoch_and_resumed_equals_an_uninterrupted_one(make_trainer, step):
    whole = make_trainer("whole").fit()
    with pytest.raises(PreemptedError, match=f"SIGTERM after step {step} of"):
        fit_until_signal(make_trainer("stopped", callback=SignalAt(step)))
    again = make_trainer("stopped")
    again.resume()
    assert_same(again.fit(), whole)


def test_a_run_stopped_at_every_step_equals_an_uninterrupted_one(make_trainer):
    whole = make_trainer("whole", epochs=2).fit()
    trainer = make_trainer("stopped", epochs=2, callback=SignalAt(1))
    for step in range(2, 13):
        with pytest.raises(PreemptedError):
            fit_until_signal(trainer)
        trainer = make_trainer("stopped", epochs=2, callback=SignalAt(step))
        trainer.resume()
    with pytest.raises(PreemptedError):
        fit_until_signal(trainer)
    trainer = make_trainer("stopped", epochs=2)
    trainer.resume()
    assert_same(trainer.fit(), whole)


def test_a_finished_run_can_be_resumed_and_rewrites_its_files(make_trainer, tmp_path):
    whole = make_trainer().fit()
    (tmp_path / "run/best.pt").unlink()
    (tmp_path / "run/history.json").unlink()
    again = make_trainer()
    again.resume()
    assert_same(again.fit(), whole)
    assert len(json.loads((tmp_path / "run/history.json").read_text())) == len(whole.history)
    assert load_model_file(tmp_path / "run/best.pt").score == whole.trained.score


def test_signal_handlers_are_restored(make_trainer):
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with pytest.raises(PreemptedError, match="SIGINT"):
        fit_until_signal(make_trainer(callback=SignalAt(1, signal.SIGINT)))
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_a_repeated_request_to_stop_changes_nothing(make_trainer):
    class Again(SignalAt):
        def on_step_end(self, event):
            if event.step >= self.at:
                os.kill(os.getpid(), signal.SIGTERM)

    whole = make_trainer("whole").fit()
    with SignalStopRequest() as stop:
        with pytest.raises(PreemptedError, match="SIGTERM after step 4 of"):
            make_trainer("stopped", callback=Again(4)).fit(stop)
        os.kill(os.getpid(), signal.SIGTERM)
    again = make_trainer("stopped")
    again.resume()
    assert_same(again.fit(), whole)


def test_without_a_stop_request_no_handler_is_installed(make_trainer):
    seen = []

    class Look(Callback):
        def on_step_end(self, event):
            seen.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    make_trainer(epochs=1, callback=Look()).fit()
    assert set(seen) == {before}


@pytest.mark.parametrize("thread", ["main", "another"])
def test_a_stop_is_requested_without_a_signal(make_trainer, thread):
    stop = StopRequest()

    class Ask(Callback):
        def on_step_end(self, event):
            if event.step == 4:
                stop.request("the test")

    trainer = make_trainer("stopped", callback=Ask())
    with ThreadPoolExecutor(1) as pool, pytest.raises(PreemptedError, match="Stopped by the test after step 4 of"):
        trainer.fit(stop) if thread == "main" else pool.submit(trainer.fit, stop).result()
    again = make_trainer("stopped")
    again.resume()
    assert_same(again.fit(), make_trainer("whole").fit())


def test_resuming_another_run_is_refused(make_trainer, data):
    with pytest.raises(ModelFileError, match="There is no checkpoint"):
        make_trainer().resume()
    make_trainer().fit()
    with pytest.raises(ModelFileError, match=r"another configuration\. digest of the configuration"):
        make_trainer(lr=0.5).resume()
    with pytest.raises(ModelFileError, match=r"another data\. .*made of salt -> other"):
        make_trainer(data=replace(data, fingerprint="other")).resume()


def test_best_file_is_the_best_epoch(make_trainer, tmp_path, data):
    result = make_trainer(epochs=8, lr=0.05).fit()
    loaded = load_model_file(tmp_path / "run/best.pt")
    scores = [row.val_score for row in result.history]
    assert loaded.epoch == result.trained.epoch == 1 + int(np.argmin(scores))
    assert loaded.score == min(scores) == score(result.val_metrics)
    with torch.no_grad():
        outputs = loaded.model(collate(data.graphs, data.split.test, None, "quotient")).numpy()
    np.testing.assert_allclose(loaded.scaler.decode(outputs), result.test, rtol=1e-4, atol=1e-5)
    assert loaded.properties == data.scaler.properties
    assert loaded.species == tuple(np.unique(data.graphs.take(data.split.train).species))


def test_history_file(make_trainer, tmp_path):
    result = make_trainer().fit()
    rows = json.loads((tmp_path / "run/history.json").read_text())
    of_some = ("val_log_loss", "own_units", "imbalance")  # left out where a run has none
    assert rows == [{k: v for k, v in asdict(row).items() if k not in of_some} for row in result.history]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert [row["step"] for row in rows] == [6, 12, 18]
    assert rows[0]["val_mae"].keys() == {"formation_energy", "band_gap", "bulk_modulus"}
    assert rows[0]["structures_per_second"] > 0
    assert 0 <= rows[0]["data_wait"] <= 1


def test_patience(make_trainer):
    result = make_trainer(epochs=40, lr=1e-12, patience=2, ema_decay=0.0).fit()
    assert result.stopped_early
    assert len(result.history) == result.trained.epoch + 2


def test_divergence_stops_the_run_and_keeps_the_best_model(make_trainer, tmp_path):
    with pytest.raises(RequestError, match=r"diverged.*Lower --lr"):
        make_trainer(epochs=30, lr=1e30, clip_norm=1e30).fit()
    if (tmp_path / "run/best.pt").exists():
        load_model_file(tmp_path / "run/best.pt")


def test_the_test_part_has_no_influence(make_trainer, data):
    targets = data.targets.copy()
    targets[data.split.test] = 1e6
    first, second = make_trainer("a").fit(), make_trainer("b", data=replace(data, targets=targets)).fit()
    assert timeless(first.history) == timeless(second.history)
    np.testing.assert_array_equal(first.test, second.test)


def threads_of_this_process():
    return len(list(Path("/proc/self/task").iterdir()))


def test_saving_starts_no_second_openmp_team(configure, data, tmp_path):
    """It would take the cores from the training for the rest of the process."""
    torch.set_num_threads(2)
    torch.ones(1_000_000).mul_(2)  # the team of this thread
    large = CgcnnConfig(preset="large", width=256, convolutions=1, gaussians=6, trunk=256)
    config = configure(epochs=2).model_copy(update={"model": large})
    files = TrainingFiles(*(tmp_path / name for name in ("best.pt", "checkpoint.pt", "previous.pt", "history.json")))
    trainer = Trainer(config, data, files, run_id="run_1")
    history = trainer.fit().history

    def write():
        before = threads_of_this_process()
        dump_checkpoint(trainer._state.checkpoint())
        trainer._state.best._written_epoch = None
        trainer._state.best.write(trainer._state.best.tensors(), history)
        return threads_of_this_process() - before

    checkpoint = trainer._state.checkpoint()
    trainer._state.checkpoint = lambda: checkpoint  # copied by the thread that trains
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(write).result() == 0
