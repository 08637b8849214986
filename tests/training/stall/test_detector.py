"""A training that hangs is reported while it hangs, with what it was doing; one that does not is left alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from phase2.errors import PreemptedError, TransientError
from phase2.training.callbacks.base import Callback, TrainEnd
from phase2.training.callbacks.composite import CompositeCallback
from phase2.training.interruption import StopRequest
from phase2.training.stall.detector import StallDetector
from phase2.training.stall.stack import describe_thread

SOON = 0.01  # minutes
NEVER = 1000


class Reported:
    """Reports of a detector."""

    def __init__(self):
        self.errors = []
        self.there = threading.Event()

    def __call__(self, error):
        self.errors.append(error)
        self.there.set()


def hang_until(reported):
    assert reported.there.wait(250), "the training hangs, and nobody says so"


class HangingStep(Callback):
    def __init__(self, reported, step):
        self.reported, self.step = reported, step

    def on_step_end(self, event):
        if event.step == self.step:
            hang_until(self.reported)


def test_a_hanging_step_is_reported_with_its_number_and_what_hangs(make_trainer):
    reported = Reported()
    callbacks = [HangingStep(reported, 5), StallDetector(SOON, reported)]
    make_trainer(epochs=2, callback=CompositeCallback(callbacks)).fit()
    (error,) = reported.errors
    assert isinstance(error, TransientError)
    assert error.exit_code == 75
    assert "No training step after step 4 of" in error.what
    assert "in a callback, in wait (" in error.what
    assert "--stall-minutes is 0.01" in error.why
    assert "--resume" in error.fix


def test_a_hanging_first_step_is_reported_too(make_trainer):
    reported = Reported()
    detector = StallDetector(SOON, reported, again="Run the same command with --name mine.")
    make_trainer(callback=CompositeCallback([HangingStep(reported, 1), detector])).fit()
    assert reported.errors[0].fix.startswith("Run the same command with --name mine. ")
    assert "--resume" not in reported.errors[0].fix
    assert "No training step after step 0 of" in reported.errors[0].what
    assert "slowest" not in reported.errors[0].why


def test_a_hanging_validation_is_called_one(make_trainer, monkeypatch):
    reported = Reported()
    trainer = make_trainer(epochs=2, callback=StallDetector(SOON, reported))
    evaluate = trainer._evaluator.evaluate

    def hanging(*arguments, **options):
        hang_until(reported)
        return evaluate(*arguments, **options)

    monkeypatch.setattr(trainer._evaluator, "evaluate", hanging)
    trainer.fit()
    assert "The validation after step" in reported.errors[0].what
    assert "has not ended" in reported.errors[0].what


def test_a_training_that_takes_its_steps_is_left_alone_and_nothing_is_left_of_the_detector(make_trainer):
    reported = Reported()
    make_trainer(epochs=2, callback=StallDetector(NEVER, reported)).fit()
    assert not reported.errors
    assert "stall-detector" not in [thread.name for thread in threading.enumerate()]


def test_a_stopped_training_is_left_alone(make_trainer):
    reported, stop = Reported(), StopRequest()
    stop.request("a test")
    with pytest.raises(PreemptedError):
        make_trainer(callback=StallDetector(NEVER, reported)).fit(stop)
    assert not reported.errors
    assert "stall-detector" not in [thread.name for thread in threading.enumerate()]


def test_a_training_that_never_began_leaves_nothing_to_stop():
    StallDetector(NEVER, Reported()).on_train_end(TrainEnd(step=0, outcome="failed"))


def test_watching_changes_no_number(make_trainer):
    plain = make_trainer("plain", epochs=2).fit()
    watched = make_trainer("watched", epochs=2, callback=StallDetector(NEVER, Reported())).fit()
    assert [row.train_loss for row in plain.history] == [row.train_loss for row in watched.history]
    assert (plain.test == watched.test).all()


def test_a_thread_is_described_by_its_innermost_frame():
    ready, go = threading.Event(), threading.Event()

    def wait():
        ready.set()
        go.wait(250)
        return threading.get_ident()

    with ThreadPoolExecutor(1) as pool:
        ident = pool.submit(threading.get_ident).result()
        working = pool.submit(wait)
        ready.wait(250)
        description = describe_thread(ident)
        go.set()
        working.result()
    assert description.startswith("busy outside of the training's own code, in ")
    assert describe_thread(-1) == "no longer running"
