"""Result of a study: a table of its trials, the best of them, and a configuration file that trains it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from phase2.config.assignments import format_value
from phase2.config.resolve import resolve
from phase2.config.run_file.writer import write_run_file
from phase2.errors import DataError
from phase2.runs.report.markdown import number
from phase2.storage.disk.atomic import write_text
from phase2.tuning.claims import Claims
from phase2.tuning.definition import StudyDefinition
from phase2.tuning.study import Trial


def best_trial(trials: Sequence[Trial]) -> Trial | None:
    """Return the complete trial with the lowest score; of equal ones the first; None without any."""
    complete = [trial for trial in trials if trial.state == "complete" and trial.score is not None]
    return min(complete, key=lambda trial: (trial.score, trial.number), default=None)


def trial_rows(definition: StudyDefinition, trials: Sequence[Trial]) -> tuple[list[str], list[list[str]]]:
    """Return the columns and rows of the table of trials, by number; the best is marked."""
    paths, best = [one.path for one in definition.search_space.dimensions], best_trial(trials)
    columns = ["trial", *paths, definition.measure, "epochs", "run", "state"]
    rows = [
        [
            str(trial.number),
            *(_shown(trial.values[path]) if path in trial.values else "-" for path in paths),
            "-" if trial.score is None else f"{trial.score:.4g}",
            str(trial.epochs),
            trial.run_id,
            _state(trial) + (" (best)" if trial is best else ""),
        ]
        for trial in trials
    ]
    return columns, rows


def study_facts(definition: StudyDefinition, trials: Sequence[Trial]) -> dict[str, Any]:
    """Return a study as JSON."""
    best = best_trial(trials)
    return {
        "study": definition.name,
        "command": list(definition.command),
        "space": list(definition.space),
        "measure": definition.measure,
        "pruner": definition.pruner,
        "trials": [_facts(trial) for trial in trials],
        "best": None if best is None else _facts(best),
    }


def best_file(definition: StudyDefinition, trials: Sequence[Trial]) -> str:
    """Return a configuration file of the best trial, which ``phase2 train --config`` reads.

    Raises:
        DataError: No trial is complete.
    """
    best = best_trial(trials)
    if best is None:
        raise DataError(
            f"The study '{definition.name}' has no complete trial.",
            why="Every trial was pruned or failed, or is still in progress.",
            fix=f"Continue it: phase2 tune --name {definition.name}.",
        )
    resolved = resolve(definition.trial_request(dict(best.values), Path("models")))
    complete = sum(trial.state == "complete" for trial in trials)
    head = (
        f"# Best of the study {definition.name}: trial {best.number}, run {best.run_id}, "
        f"{definition.measure} {best.score:.6g}; {complete} of {len(trials)} trials are complete.\n"
    )
    return head + write_run_file(resolved)


def write_best(path: Path, definition: StudyDefinition, trials: Sequence[Trial]) -> None:
    """Write the configuration file of the best trial; raises as :func:`best_file`."""
    write_text(path, best_file(definition, trials))


def with_interrupted(trials: Sequence[Trial], claims: Claims) -> list[Trial]:
    """Return trials, those in progress that no live worker holds as ``interrupted``."""
    return [one if one.is_over or claims.is_held(one.number) else replace(one, state="interrupted") for one in trials]


def described(trial: Trial) -> str:
    """Return the values of a trial in one line: ``training.lr=0.001, training.batch_size=16``."""
    return ", ".join(f"{path}={format_value(value)}" for path, value in trial.values.items())


def outcome(trial: Trial, measure: str) -> str:
    """Return how a trial ended in one line."""
    if trial.state == "complete":
        return f"complete, {measure} {number(trial.score)}"
    if trial.state == "pruned":
        return f"pruned after epoch {trial.epochs}, {measure} {number(trial.score)}"
    return f"failed: {trial.reason}" if trial.state == "failed" else trial.state


def _facts(trial: Trial) -> dict[str, Any]:
    return {
        "trial": trial.number,
        "run": trial.run_id,
        "state": trial.state,
        "values": dict(trial.values),
        "score": trial.score,
        "epochs": trial.epochs,
        "reason": trial.reason,
    }


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else format_value(value)


def _state(trial: Trial) -> str:
    return f"failed: {trial.reason}" if trial.state == "failed" else trial.state
