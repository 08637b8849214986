"""Training from Python."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Unpack

from phase2.api.caller.thread import CallerThread, RelayedCallback
from phase2.api.caller.torch_state import preserved_torch_settings
from phase2.api.names import Names, names_in
from phase2.api.request import RunSettings, run_request
from phase2.api.runs.run import Run
from phase2.config.extras import explain_missing_packages
from phase2.config.request.resume_request import ResumeRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.settings import CHECKPOINT_MINUTES, store_url
from phase2.data.stored.opening import pinned_address
from phase2.errors import RequestError
from phase2.models.device import AUTO
from phase2.runs.ancestry.inherit import inherit_settings
from phase2.runs.resume.run_path import in_output_of_run
from phase2.storage.base import Store
from phase2.storage.urls import open_store
from phase2.tracking.registry import check_trackers, trackers_of_process
from phase2.training.callbacks.base import Callback
from phase2.training.callbacks.composite import CompositeCallback
from phase2.training.callbacks.default import default_callbacks
from phase2.training.callbacks.tracking import tracked
from phase2.training.checkpoints.writer import CheckpointSchedule
from phase2.training.interruption import StopRequest
from phase2.training.run.experiment import FinishedRun, RunContext, train_run

_LOG = logging.getLogger("phase2")


def train(  # noqa: PLR0913 - keywords
    *,
    resume: bool | str = False,
    accept_change: Names = (),
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
) -> Run:
    """Train a run to its end and return it: the same run as ``phase2 train`` with the same settings, bit for bit.

    ``KeyboardInterrupt`` (Ctrl-C, or a notebook's stop button) ends the training after its present step, with a
    checkpoint that ``resume=True`` continues; a second one does not wait for that. No signal handler is installed, and
    torch's settings and all random generators are what they were before.

    Args:
        resume: ``True`` continues the newest unfinished run of the same request; an id, folder name or path that run,
            whose settings are those that are not given.
        accept_change: ``code`` or ``data-path``: continue although this changed since the checkpoint.
        store: Where checkpoints and the finished run are kept as well: ``s3://bucket/prefix`` or a folder. By default
            ``$PHASE2_STORE``, where that is set.
        device: ``auto`` (a GPU where there is one), ``cpu``, ``cuda`` or ``cuda:1``.
        workers: Processes that build the graphs; one per core by default.
        callbacks: Receive the progress of the training; see :class:`phase2.Callback`.
        progress: Show a bar in a terminal or a notebook, and lines of JSON elsewhere.
        notify: Called with one line about each thing a user should know; logged as ``phase2`` by default.
        checkpoint_minutes: Longest time between two checkpoints; each epoch has one, too.
        baselines: Fit gradient boosting at the end of the run, to compare the network with; cached by data and seed.
        track: Trackers that show the run: ``tensorboard``, ``mlflow``, ``wandb``; ``$PHASE2_TRACK`` by default.
        **settings: What is trained: ``algorithm``, ``level``, ``properties``, ``epochs``, ``lr``, ``batch_size``,
            ``max_samples``, ``seed``, ``data``, ``output``, ``settings={"training.patience": 20}``,
            ``config="run.yaml"`` and the others of :class:`phase2.RunSettings`.

    Raises:
        RequestError: The request cannot be carried out, or there is nothing to resume.
        DataError: The data cannot be used.
        ModelFileError: The checkpoint cannot be used.
        CallbackError: A callback raised; what was trained is saved.
        TransientError: The store does not answer; what was trained is in the run's folder.
        KeyboardInterrupt: The training was interrupted; its note says where the checkpoint is.

    Examples:
        >>> run = phase2.train(
        ...     algorithm="cgcnn", level="smoke", epochs=2, max_samples=60, output=folder, progress=False
        ... )
        >>> run.manifest.epochs, len(run.history)
        (2, 2)
        >>> run.metrics.columns()[:5]
        ['property', 'unit', 'part', 'labels', 'MAE']
    """
    resumption = ResumeRequest(bool(resume), resume if isinstance(resume, str) else None, names_in(accept_change))
    request = pinned(run_request(settings), store)
    return train_request(
        request,
        resumption,
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


def pinned(request: RunRequest, store: str | os.PathLike[str] | None) -> RunRequest:
    """Return a request whose data set, if it is a name in the store, is the content that the name points to now."""
    if request.data is None:
        return request
    return replace(request, data=pinned_address(request.data, url=_place(store)))


def train_request(  # noqa: PLR0913 - keywords
    request: RunRequest,
    resumption: ResumeRequest,
    *,
    store: str | os.PathLike[str] | None,
    device: str,
    workers: int | None,
    callbacks: Sequence[Callback],
    progress: bool,
    notify: Callable[[str], None],
    checkpoint_minutes: float,
    baselines: bool,
    track: Names | None,
) -> Run:
    """Train a request in a thread of its own; see :func:`train`."""
    if not checkpoint_minutes > 0:
        raise RequestError(f"checkpoint_minutes={checkpoint_minutes} is not a positive number.", fix="Give 5, say.")
    place = store_of_runs(store)
    resolved = resolve(inherit_settings(in_output_of_run(request, resumption)))
    stop = StopRequest()
    caller: CallerThread[FinishedRun] = CallerThread(stop)
    shown = [*(default_callbacks() if progress else ()), *callbacks]
    trackers = trackers_of_process() if track is None else check_trackers(names_in(track))

    def tell(line: str) -> None:
        caller.call(lambda: notify(line))

    context = RunContext(
        workers=workers,
        store=place,
        schedule=CheckpointSchedule(minutes=checkpoint_minutes),
        device=device,
        stop=stop,
        notify=tell,
        with_baselines=baselines,
    )

    def work() -> FinishedRun:
        # The trackers' callback calls back itself, and never waits for the caller, who may be interrupted.
        with preserved_torch_settings(), explain_missing_packages(), tracked(trackers, tell) as pages:
            relayed = RelayedCallback(CompositeCallback(shown), caller, stop)
            return train_run(resolved, resumption, replace(context, callback=CompositeCallback([relayed, *pages])))

    finished = caller.run(work)
    return Run(finished.directory, finished.manifest, finished.published)


def store_of_runs(store: str | os.PathLike[str] | None) -> Store | None:
    """Open the store that was given, or that of the environment; None where runs stay in their folder."""
    place = _place(store)
    return open_store(place) if place else None


def _place(store: str | os.PathLike[str] | None) -> str | None:
    return os.fspath(store) if store is not None else store_url()
