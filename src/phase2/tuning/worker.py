"""One worker of a study: it claims a trial, trains its run, records the score, and takes the next."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from phase2.config.request.resume_request import ResumeRequest
from phase2.config.resolve import resolve
from phase2.errors import DataError, PreemptedError, RequestError
from phase2.runs.records.manifest import RunManifest
from phase2.storage.base import Store
from phase2.training.callbacks.base import Callback
from phase2.training.callbacks.composite import CompositeCallback
from phase2.training.run.experiment import FinishedRun, RunContext, train_run
from phase2.tuning.claims import Claim, Claims
from phase2.tuning.definition import SCORE
from phase2.tuning.reporter import TrialReporter, TrialStop
from phase2.tuning.result import described
from phase2.tuning.study import State, Study, Trial
from phase2.tuning.workers import Worker

CallbackFactory = Callable[[], AbstractContextManager[Callback | None]]

POLL_SECONDS = 5.0
_MOST_FAILURES = 3
"""Trials that may fail before any has a score: then the fault is not theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """What a worker is to do.

    Attributes:
        trials: Trials of the study in all, those of other workers included.
        output: Folder of the runs on this machine.
        deadline: End of its time, by ``time.monotonic()``; the trial in progress is saved and continued next time.
        waits: Whether it waits for the last trials of other workers to end, in order to take over those of workers that
            die; else it ends once all of these were heard again, or has taken over the trials of those that were not.
        accepted: Changes since the last checkpoint of an interrupted trial that are accepted.
    """

    trials: int
    output: Path
    deadline: float = math.inf
    waits: bool = True
    accepted: tuple[str, ...] = ()


class StudyWorker:
    """This process as a worker of a study.

    Args:
        study: The study.
        store: Its store.
        order: What to do.
        context: Settings of the training process; its store is that of the runs.
        on_trial: Callback receiving each trial that ended here.
        callbacks: Returns a context manager of a callback for each trial; None for none.
    """

    def __init__(
        self,
        study: Study,
        store: Store,
        order: WorkOrder,
        context: RunContext,
        *,
        on_trial: Callable[[Trial], None] = lambda _: None,
        callbacks: CallbackFactory = contextlib.nullcontext,
    ) -> None:
        self._study = study
        self._order = order
        self._context = context
        self._on_trial = on_trial
        self._callbacks = callbacks
        self._worker = Worker(store, study.definition.name)
        self._claims = Claims(store, study.definition.name, self._worker)
        self._current: tuple[Claim, TrialStop] | None = None

    def work(self) -> None:
        """Train trials until the study has all that were asked for, or the time is over.

        Raises:
            RequestError: The first trials failed, all of them.
            DataError: The data cannot be used, or are others than those of earlier trials.
            ModelFileError: The checkpoint of a trial cannot be used.
            PreemptedError: The process was asked to stop; the trial in progress is saved.
            TransientError: The store does not answer.
        """
        with self._worker.registered(self._give_up_if_lost):
            first_beats: dict[int, datetime] = {}  # of the holders of the trials that are left, since nothing is to do
            while time.monotonic() < self._order.deadline:
                claim = self._next()
                if claim is not None:
                    self._train(claim)
                    first_beats.clear()
                elif self._is_needed(first_beats):
                    time.sleep(POLL_SECONDS)
                else:
                    return

    def _next(self) -> Claim | None:
        """Claim the first trial that is not over and that no live worker holds."""
        over = self._over()
        return next((claim for number in self._left(over) if (claim := self._claims.take(number))), None)

    def _is_needed(self, first_beats: dict[int, datetime]) -> bool:
        """Return whether a trial that others hold may come to this worker."""
        left = self._left(self._over())
        if not left or self._order.waits:
            return bool(left)
        beats = {number: self._claims.last_beat(number) for number in left}
        heard = [beat is not None and beat > first_beats.setdefault(number, beat) for number, beat in beats.items()]
        return not all(heard)

    def _over(self) -> set[int]:
        return {trial.number for trial in self._study.trials() if trial.is_over}

    def _left(self, over: set[int]) -> list[int]:
        return [number for number in range(self._order.trials) if number not in over]

    def _train(self, claim: Claim) -> None:
        """Train the run of a trial, from its newest checkpoint where it was begun before."""
        study, context = self._study, self._context
        trial = study.begin(claim.trial)
        if trial.is_over:
            return
        context.notify(f"trial {trial.number}: {described(trial)}")
        if study.is_hopeless(trial.number):  # its worker was killed before it could record that
            self._end(trial, "pruned")
            return
        stop = TrialStop(context.stop)
        reporter = TrialReporter(study, trial.number, stop, deadline=self._order.deadline)
        self._current = (claim, stop)
        try:
            finished = self._run(trial, stop, reporter)
        except PreemptedError:
            if context.stop.reason:
                raise
            if reporter.is_pruned:
                self._end(trial, "pruned")
            elif not reporter.is_late:
                context.notify(f"trial {trial.number}: taken over by another worker")
        except RequestError as error:
            self._end(trial, "failed", reason=" ".join(str(error).split()))
            self._raise_if_hopeless(error)
        else:
            self._refuse_other_data(finished.manifest)
            self._end(trial, "complete", value=_value(finished.manifest, study.definition.minimise))
        finally:
            self._current = None

    def _run(self, trial: Trial, stop: TrialStop, reporter: TrialReporter) -> FinishedRun:
        request = self._study.definition.trial_request(dict(trial.values), self._order.output)
        with self._callbacks() as callback:
            callbacks = [self._context.callback, *([callback] if callback else []), reporter]
            return train_run(
                resolve(request),
                ResumeRequest(accepted=self._order.accepted, run_id=trial.run_id),
                replace(self._context, callback=CompositeCallback(callbacks), stop=stop),
            )

    def _end(self, trial: Trial, state: State, *, value: float | None = None, reason: str = "") -> None:
        if state == "complete" and value is None:
            state, reason = "failed", f"It has no {self._study.definition.measure}: there are no labels."
        self._study.end(trial.number, state, value=value, reason=reason)
        self._on_trial(self._study.begin(trial.number))

    def _raise_if_hopeless(self, error: RequestError) -> None:
        """Pass the error on if no trial has a score and several have failed: it is not a matter of their values."""
        states = [trial.state for trial in self._study.trials()]
        if states.count("failed") >= _MOST_FAILURES and not {"complete", "pruned"} & set(states):
            raise error

    def _refuse_other_data(self, manifest: RunManifest) -> None:
        data = manifest.data
        if data is not None and self._study.data(data.fingerprint) != data.fingerprint:
            raise DataError(
                f"The run '{manifest.run_id}' was measured on other data than the trials before it.",
                why=f"The content of {data.source} has changed since the study '{self._study.definition.name}' began.",
                fix="Restore the data, or start a study of another --name.",
            )

    def _give_up_if_lost(self) -> None:
        """Stop the trial in progress if another worker took it over."""
        current = self._current
        if current is not None and self._claims.is_lost(current[0]):
            current[1].request("another worker of the study, which took it over,")


def _value(manifest: RunManifest, minimise: str) -> float | None:
    """Return what is minimised, measured on the validation part."""
    if minimise == SCORE:
        return manifest.score
    return next((row.error for row in manifest.val if row.key == minimise), None)
