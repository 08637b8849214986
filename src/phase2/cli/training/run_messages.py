"""Messages at the end of runs that this process has trained."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phase2.cli.notification import Ending
    from phase2.notification.message import Message
    from phase2.training.callbacks.base import Callback
    from phase2.training.run.experiment import FinishedRun
    from phase2.tuning.definition import StudyDefinition
    from phase2.tuning.study import Trial


def run_message(finished: FinishedRun) -> Message:
    """Return the message of a finished run."""
    from phase2.notification.message import run_finished

    return run_finished(finished.manifest, address_of(finished))


def group_message(what: str, finished: Sequence[FinishedRun]) -> Message:
    """Return the message of finished runs that belong together, such as an ensemble."""
    from phase2.notification.message import runs_finished

    return runs_finished(what, [run.manifest for run in finished], [address_of(run) for run in finished])


def study_message(definition: StudyDefinition, trials: Sequence[Trial]) -> Message:
    """Return the message of a study that has ended."""
    from phase2.notification.message import Message
    from phase2.runs.report.markdown import number
    from phase2.tuning.result import best_trial, described

    best = best_trial(trials)
    lines = [f"{len(trials)} trials, {sum(trial.state == 'complete' for trial in trials)} complete"]
    if best is not None:
        lines.append(f"best: {definition.measure} {number(best.score)}, run {best.run_id}, {described(best)}")
    return Message.of(f"phase2: study {definition.name} finished", lines)


def address_of(finished: FinishedRun) -> str:
    """Return where a run lies, for people elsewhere."""
    return finished.published or f"{finished.directory.path.resolve()} on {os.uname().nodename}"


def noting_callback(ending: Ending) -> Callback:
    """Return a callback that notes for a message which run is trained, and where."""
    from phase2.training.callbacks.base import AttemptBegin, Callback

    class Noted(Callback):
        def on_attempt_begin(self, event: AttemptBegin) -> None:
            ending.what = f"run {event.run_id}"
            ending.where = f"{event.checkpoint.parent.resolve()} on {os.uname().nodename}"

    return Noted()
