"""Training from Python: the same run as the command's, and nothing of the caller's is changed."""

import ctypes
import json
import os
import random
import signal
import threading
import time
from dataclasses import fields

import numpy as np
import pytest
import torch

import phase2
from phase2.api.request import RunSettings, run_request
from phase2.cli import main
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import RequestError
from phase2.runs.layout import RunDirectory
from phase2.testing.same_result import assert_same_result
from phase2.training.checkpoints.checkpoint import load_checkpoint

TINY = {"algorithm": "cgcnn", "level": "smoke", "epochs": 2, "max_samples": 60}


def train(output, **settings):
    return phase2.train(**{"output": output, "progress": False, **TINY, **settings})


class InterruptAt(phase2.Callback):
    """Does something to the process or thread when step n is done."""

    def __init__(self, step, act):
        self.step, self.act = step, act

    def on_step_end(self, event):
        if event.step == self.step:
            self.act()


def generator_states():
    numpy_state = np.random.get_state(legacy=False)["state"]["key"].tolist()  # noqa: NPY002 - the global generator is meant
    return random.getstate(), numpy_state, torch.get_rng_state().tolist()


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def test_a_run_is_that_of_the_command_line_bit_for_bit(tmp_path):
    words = ["--algorithm", "cgcnn", "--level", "smoke", "--epochs", "2", "--max-samples", "60"]
    assert main(["train", *words, "--output", str(tmp_path / "command")]) == 0
    run = train(tmp_path / "python")
    assert_same_result(RunDirectory(run.directory), RunDirectory(phase2.load_run(store=tmp_path / "command").directory))
    assert run.manifest.command[:2] == ("phase2", "train")


def test_the_callers_settings_and_generators_stay(tmp_path):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(False)
    generators = generator_states()
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        train(tmp_path)
        assert torch.get_num_threads() == 1
        assert not torch.are_deterministic_algorithms_enabled()
        assert generator_states() == generators
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("step", [1, 3])
def test_an_interrupt_saves_and_leaves_the_handlers_alone(tmp_path, step):
    handler = signal.getsignal(signal.SIGINT)
    seen = []
    look = InterruptAt(1, lambda: seen.append(signal.getsignal(signal.SIGINT)))
    with pytest.raises(KeyboardInterrupt) as caught:
        train(tmp_path / "stopped", epochs=3, callbacks=[look, InterruptAt(step, interrupt)])
    assert seen == [handler]
    assert signal.getsignal(signal.SIGINT) is handler
    (note,) = caught.value.__notes__
    assert f"after step {step}" in note
    (checkpoint,) = (tmp_path / "stopped").rglob("checkpoint.pt")
    assert str(checkpoint) in note
    assert load_checkpoint(checkpoint).step == step
    resumed = train(tmp_path / "stopped", epochs=3, resume=True)
    assert len(resumed.manifest.attempts) == 2
    assert_same_result(RunDirectory(resumed.directory), RunDirectory(train(tmp_path / "whole", epochs=3).directory))


def test_a_run_is_resumed_by_its_name(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, epochs=3, callbacks=[InterruptAt(2, interrupt)])
    (run,) = phase2.list_runs(tmp_path)
    resumed = phase2.train(output=tmp_path, resume=run.run_id, progress=False)
    assert resumed.id == run.run_id
    assert len(resumed.history) == 3


def test_a_run_is_resumed_by_its_path_from_another_folder_with_data_that_have_moved(tmp_path, monkeypatch):
    for name in ("there", "here", "moved"):
        (tmp_path / name).mkdir()
    crystals = [row for row in phase2.load_dataset("sample") if np.isfinite(row.targets[0])][:60]
    records = [{"id": c.crystal.id, "formation_energy": c.targets[0]} | _structure(c.crystal) for c in crystals]
    (tmp_path / "there" / "mine.json").write_text(json.dumps(records))
    settings = {"data": "mine.json", "properties": "formation_energy", "epochs": 3}
    monkeypatch.chdir(tmp_path / "there")
    whole = train(tmp_path / "whole", **settings)
    with pytest.raises(KeyboardInterrupt):
        train("models", callbacks=[InterruptAt(2, interrupt)], **settings)
    folder = tmp_path / "there" / "models" / phase2.list_runs("models")[0].prefix
    os.renames("mine.json", "../moved/mine.json")
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(ValueError, match=r"not at mine\.json.*--data PATH --accept-change data-path"):
        phase2.train(resume=str(folder), progress=False)
    resumed = phase2.train(resume=str(folder), data="../moved/mine.json", accept_change=["data-path"], progress=False)
    assert resumed.directory == folder
    assert not list((tmp_path / "here").iterdir())
    assert resumed.test_predictions.records() == whole.test_predictions.records()


def _structure(crystal):
    return {"structure": crystal.to_pymatgen().as_dict()}


def test_training_works_in_another_thread_and_is_interrupted_there(tmp_path):
    outcome = []

    def raise_here():
        assert thread.ident is not None
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(KeyboardInterrupt))

    def work():
        outcome.append(train(tmp_path / "whole").manifest.status)
        try:
            train(tmp_path / "stopped", epochs=4000, callbacks=[InterruptAt(2, raise_here)])
        except KeyboardInterrupt as interruption:
            outcome.append(interruption.__notes__)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(200)
    assert not thread.is_alive()
    assert outcome[0] == "finished"
    assert "checkpoint" in outcome[1][0]


def test_what_a_callers_own_handler_raises_ends_the_training_too(tmp_path):
    def leave(*_):
        raise SystemExit(7)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        with pytest.raises(SystemExit, match="7"):
            train(tmp_path, epochs=4000, callbacks=[InterruptAt(2, lambda: os.kill(os.getpid(), signal.SIGTERM))])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert load_checkpoint(next(tmp_path.rglob("checkpoint.pt"))).step >= 2


def test_a_second_interrupt_does_not_wait(tmp_path):
    class Stuck(phase2.Callback):
        def on_step_end(self, event):
            if event.step == 2:
                threading.Timer(0.5, interrupt).start()
                interrupt()

        def on_train_end(self, event):
            time.sleep(5)

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, epochs=4000, callbacks=[Stuck()])
    assert time.monotonic() - start < 60
    for thread in threading.enumerate():
        if thread.name == "phase2-training":
            thread.join(60)
    assert load_checkpoint(next(tmp_path.rglob("checkpoint.pt"))).step >= 2


def test_callbacks_run_in_the_callers_thread_and_see_the_epochs(tmp_path, capsys):
    class Collect(phase2.Callback):
        def __init__(self):
            self.threads, self.epochs, self.outcome = set(), [], None

        def on_step_end(self, event):
            self.threads.add(threading.current_thread())

        def on_epoch_end(self, event):
            self.epochs.append(event.row)

        def on_train_end(self, event):
            self.outcome = event.outcome

    callback = Collect()
    lines: list[str] = []
    run = train(tmp_path, callbacks=[callback], notify=lines.append)
    assert callback.threads == {threading.current_thread()}
    assert callback.epochs == list(run.history)
    assert callback.outcome == "finished"
    assert any(str(run.directory) in line for line in lines)
    assert capsys.readouterr().out == ""


def test_progress_is_shown_by_default(tmp_path, capsys):
    train(tmp_path, progress=True)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_callback_that_fails_ends_the_training_which_can_be_resumed(tmp_path):
    def fail():
        raise ZeroDivisionError("one / zero")

    with pytest.raises(phase2.CallbackError, match="InterruptAt failed in on_step_end") as caught:
        train(tmp_path, callbacks=[InterruptAt(2, fail)])
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert train(tmp_path, resume=True).manifest.attempts[0].outcome == "failed"


def test_a_store_gets_the_run(tmp_path):
    run = train(tmp_path / "models", store=tmp_path / "store")
    assert run.published.endswith(run.directory.name)
    assert phase2.load_model("latest", store=tmp_path / "store").files


def test_keywords_are_the_fields_of_a_request():
    asked = {field.name for field in fields(RunRequest)} - {"origins"}
    assert set(RunSettings.__annotations__) == asked | {"config"}


def test_one_name_is_no_sequence_of_letters(tmp_path):
    with pytest.raises(RequestError, match="There is no run 'none'"):
        phase2.train(resume="none", accept_change="code", output=tmp_path, algorithm="cgcnn")
    with pytest.raises(RequestError, match="Unknown change 'kode'"):
        phase2.train(resume="none", accept_change="kode", output=tmp_path, algorithm="cgcnn")
    with pytest.raises(RequestError, match="Unknown tracker 'mlfow'"):
        phase2.train(track="mlfow", output=tmp_path, algorithm="cgcnn")
    with pytest.raises(RequestError, match="Unknown tracker 'wandbb'"):
        phase2.train(track="mlflow, wandbb", output=tmp_path, algorithm="cgcnn")


def test_keywords_override_settings_and_these_a_file(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("algorithm: cgcnn\ntraining: {epochs: 7, patience: 7, lr: 0.7}\n")
    given = {"config": path, "settings": {"training.patience": 6, "training.lr": 0.6}, "lr": 0.5}
    training = resolve(run_request(given)).config.training
    assert (training.epochs, training.patience, training.lr) == (7, 6, 0.5)
    mapping = {"algorithm": "cgcnn", "training": {"epochs": 7, "patience": 7, "lr": 0.7}}
    assert resolve(run_request(given | {"config": mapping})).config == resolve(run_request(given)).config


def test_keywords_take_the_types_of_python(tmp_path):
    request = run_request({"properties": ["band_gap", "ehull"], "data": tmp_path, "output": str(tmp_path)})
    assert request == RunRequest(properties=("band_gap", "ehull"), data=str(tmp_path), output=tmp_path)
    assert run_request({"properties": "band_gap,ehull"}) == RunRequest(properties=("band_gap", "ehull"))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"epoch": 3}, "Did you mean 'epochs'"),
        ({"level": "smok"}, "Did you mean 'smoke'"),
        ({"settings": {"training.patienc": 3}}, "training.patience"),
        ({"epochs": 0}, "positive"),
        ({"device": "cuda:97"}, "cpu"),
        ({"checkpoint_minutes": 0}, "checkpoint_minutes"),
        ({"data": "sampel"}, "Did you mean 'sample'"),
        ({"resume": "nonsense"}, "nonsense"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_leaves_nothing(tmp_path, settings, says):
    with pytest.raises(ValueError, match=says):
        train(tmp_path / "models", **settings)
    assert not (tmp_path / "models").exists()
