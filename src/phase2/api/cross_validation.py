"""Cross-validation from Python."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from phase2.api.names import Names
from phase2.api.request import RunSettings, run_request
from phase2.api.results.table import Cell, Table
from phase2.api.runs.run import Run
from phase2.api.train import pinned, store_of_runs, train_request
from phase2.config.multirun.cross_validation import FOLDS, cross_validation
from phase2.config.request.resume_request import ResumeRequest
from phase2.config.resolve import resolve
from phase2.config.settings import CHECKPOINT_MINUTES
from phase2.data.fold_check import check_folds
from phase2.models.device import AUTO
from phase2.runs.catalog.cross_validation.files import parse_test_part, write_fold_files
from phase2.runs.catalog.cross_validation.folds import CrossValidation, PropertySpread
from phase2.runs.layout import RunDirectory, new_run_id
from phase2.runs.records.predictions import PartPredictions
from phase2.runs.resume.find import find_by_id
from phase2.storage.disk.errors import disk_errors
from phase2.training.callbacks.base import Callback

_LOG = logging.getLogger("phase2")


def cross_validate(  # noqa: PLR0913 - keywords
    *,
    folds: int = FOLDS,
    matbench: bool = False,
    name: str | None = None,
    store: str | os.PathLike[str] | None = None,
    device: str = AUTO,
    workers: int | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = True,
    notify: Callable[[str], None] = _LOG.info,
    checkpoint_minutes: float = CHECKPOINT_MINUTES,
    baselines: bool = True,
    track: Names | None = None,
    **settings: Unpack[RunSettings],
) -> CrossValidated:
    """Train a run for each fold of the data, tested on it: the runs of ``phase2 cross-validate``, one after another.

    The runs are ``NAME-0``, ``NAME-1``, ... The same call with the same name continues one that was interrupted: runs
    that are finished are not trained again.

    Args:
        folds: Number of folds, each of them the test part of one run.
        matbench: Use the five folds of matbench, drawn by row.
        name: Name of the cross-validation; a new one by default.
        store: As for :func:`phase2.train`, for every run; so are the following.
        device: Where to compute.
        workers: Processes that build the graphs.
        callbacks: Receive the progress of each training in turn.
        progress: Show the progress of each training.
        notify: Called with one line about each thing a user should know.
        checkpoint_minutes: Longest time between two checkpoints.
        baselines: Fit gradient boosting at the end of each run.
        track: Trackers that show the runs.
        **settings: What is trained, as for :func:`phase2.train`. ``split`` names the groups that stay in one fold:
            ``composition``.

    Raises:
        RequestError: The request cannot be carried out, or the split has no folds, or the name is that of other runs.
        DataError: The data cannot be used.
        TransientError: The store does not answer.
        KeyboardInterrupt: The training was interrupted; the same call with its name continues it.

    Examples:
        >>> found = phase2.cross_validate(
        ...     folds=2, name="cv", algorithm="cgcnn", level="smoke", epochs=1, max_samples=60, output=folder,
        ...     progress=False, baselines=False,
        ... )
        >>> [run.id for run in found.runs], found.columns()[2:5]
        (['cv-0', 'cv-1'], ['measure', 'mean', 'spread'])
    """
    request = pinned(run_request(settings), store)
    chosen = name or f"cv-{new_run_id()}"
    runs: list[Run] = []
    planned = cross_validation(request, folds=folds, matbench=matbench).runs(chosen)
    place = store_of_runs(store)
    if not any(find_by_id(request.output, one.run_id, place) for one in planned):
        check_folds([resolve(one.request).config.data for one in planned], stored_in=place, workers=workers)
    for one in planned:
        notify(f"run: {one.run_id}")
        runs.append(
            train_request(
                replace(one.request, output=request.output),
                ResumeRequest(run_id=one.run_id),
                store=store,
                device=device,
                workers=workers,
                callbacks=callbacks,
                progress=progress,
                notify=notify,
                checkpoint_minutes=checkpoint_minutes,
                baselines=baselines,
                track=track,
            )
        )
    return CrossValidated(chosen, runs)


class CrossValidated(Table[PropertySpread]):
    """Test errors over the folds of a cross-validation: mean and spread, one row per property and measure.

    The measure is the MAE, and of a binary property log loss, area under the ROC curve, accuracy and F1.

    Args:
        name: Its name.
        runs: Its finished runs.

    Raises:
        DataError: There is none, or two are tested on the same fold.
    """

    def __init__(self, name: str, runs: Sequence[Run]) -> None:
        self.runs = tuple(runs)
        self.result = CrossValidation.of(name, [run.manifest for run in runs])

    @property
    def rows(self) -> tuple[PropertySpread, ...]:
        """One per property, in the order in which the runs have them; four of a binary one."""
        return self.result.properties

    @property
    def name(self) -> str:
        """Its name, which its runs have before their number."""
        return self.result.name

    def columns(self) -> list[str]:
        """Return the headings; the unit of each row has a column of its own, and so has each fold."""
        folds = [run.split for run in self.result.runs]
        return ["property", "unit", "measure", "mean", "spread", "baseline", "test labels", *folds]

    def records(self) -> list[list[Cell]]:
        """Return the cells of each row."""
        return [
            [row.key, row.unit, row.measure, row.mean, row.std, row.baseline, row.labels, *row.folds]
            for row in self.rows
        ]

    def write(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write what ``phase2 cross-validate --to`` writes: the table, as text and JSON, and matbench's records.

        Raises:
            RequestError: The folder cannot be written.
            TransientError: The disk is full.
        """
        return write_fold_files(
            Path(folder), self.result, {run.id: (run.manifest, _predictions(run)) for run in self.runs}
        )


def _predictions(run: Run) -> PartPredictions:
    path = RunDirectory(run.directory).predictions_test
    with disk_errors(path):
        return parse_test_part(run.manifest, path.read_text(encoding="utf-8"), where=str(path))
