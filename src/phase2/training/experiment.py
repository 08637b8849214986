"""One run, from its configuration to its sealed run directory."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from phase2.config.resolve import ResolvedRun
from phase2.config.schema import RunConfig
from phase2.config.settings import run_id_of_process
from phase2.data.dataset import CrystalPropertyDataset, Progress
from phase2.errors import Phase2Error, PreemptedError
from phase2.runs.attempts import begin_attempt, end_attempt
from phase2.runs.environment import place
from phase2.runs.history import read_epochs_done
from phase2.runs.layout import RunDirectory
from phase2.runs.manifest import RunManifest, read_manifest
from phase2.runs.publish import publish_run
from phase2.runs.recorded_config import RecordedConfig
from phase2.runs.unfinished import find_begun, find_unfinished, is_finished
from phase2.storage.base import Store
from phase2.training.closing import close_run
from phase2.training.loop import Trainer
from phase2.training.progress import default_reporter
from phase2.training.result import TrainingFiles, TrainingResult
from phase2.training.seeding import threads


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run that is done.

    Attributes:
        directory: Its folder.
        manifest: Its sealed manifest.
        published: Where it lies in the store, when one was given.
    """

    directory: RunDirectory
    manifest: RunManifest
    published: str | None = None


DataProgress = Callable[[], AbstractContextManager[Progress | None]]


def train_run(
    resolved: ResolvedRun,
    *,
    resume: bool = False,
    workers: int | None = None,
    store: Store | None = None,
    data_progress: DataProgress = nullcontext,
    notify: Callable[[str], None] = lambda _: None,
) -> FinishedRun:
    """Train a run to its end.

    The data are opened before the run directory is made, so a request that cannot be carried out leaves nothing behind.
    A process that is told its run id (``PHASE2_RUN_ID``) continues the run of that id where there is one.

    Args:
        resolved: The request and its configuration.
        resume: Continue the newest unfinished run of this request.
        workers: Processes that build the graph store; one per core by default.
        store: Where the finished run is published; nowhere when None.
        data_progress: Makes a context whose value is told about the graph store's progress.
        notify: Is told one line about each thing a user should know.

    Raises:
        RequestError: There is nothing to resume, or the output folder cannot be written.
        DataError: The data cannot be used.
        ModelFileError: The checkpoint cannot be used.
        PreemptedError: SIGTERM or Ctrl-C came; the run can be resumed.
    """
    torch.set_num_threads(threads())
    config, output = resolved.config, resolved.request.output
    existing = _existing_run(config, output, resume=resume)
    if existing is not None and (finished := _finished_already(existing, notify)):
        return _publish(finished, store, notify)
    with data_progress() as progress:
        dataset = _load(config, workers, progress)
    _tell_about_data(dataset, config, notify)
    run = existing or RunDirectory.create(output, config.family, run_id=run_id_of_process())
    with run.lock():
        # Whoever had the lock until now may have finished the run.
        finished = _finished_already(run, notify) or _train_in(run, resolved, dataset, notify)
        return _publish(finished, store, notify)


def _publish(finished: FinishedRun, store: Store | None, notify: Callable[[str], None]) -> FinishedRun:
    if store is None:
        return finished
    publication = publish_run(store, finished.directory)
    notify(f"{'already published' if publication.already else 'published'}: {publication.url}")
    return replace(finished, published=publication.url)


def _existing_run(config: RunConfig, output: Path, *, resume: bool) -> RunDirectory | None:
    run_id = run_id_of_process()
    if run_id is None:
        return find_unfinished(output, config) if resume else None
    return find_begun(output, config, run_id)


def _finished_already(run: RunDirectory, notify: Callable[[str], None]) -> FinishedRun | None:
    if not is_finished(run):
        return None
    notify(f"{run.path} is finished already")
    return FinishedRun(run, read_manifest(run.manifest))


def _load(config: RunConfig, workers: int | None, progress: Progress | None) -> CrystalPropertyDataset:
    return CrystalPropertyDataset.load(
        config.data,
        config.properties,
        workers=workers,
        leave_out_unlabelled=config.all_properties,
        progress=progress,
    )


def _tell_about_data(dataset: CrystalPropertyDataset, config: RunConfig, notify: Callable[[str], None]) -> None:
    split = dataset.split
    parts = f"{len(split.train)} training, {len(split.val)} validation, {len(split.test)} test crystals"
    notify(f"data: {config.data.source}: {parts}")
    left_out = [key for key in config.properties if key not in {p.key for p in dataset.properties}]
    if left_out:
        notify(f"left out, for want of labels: {', '.join(left_out)}")
    if dataset.rejected:
        notify(f"{dataset.rejected} records are no valid crystal; reasons: rejected.csv in the run folder")


def _train_in(
    run: RunDirectory, resolved: ResolvedRun, dataset: CrystalPropertyDataset, notify: Callable[[str], None]
) -> FinishedRun:
    fresh = not run.run_config.exists()
    recorded = RecordedConfig.record(run, resolved) if fresh else RecordedConfig.read(run)
    if dataset.rejected:
        shutil.copyfile(dataset.store.path / run.rejected.name, run.rejected)
    epochs_done = read_epochs_done(run.history) if run.checkpoint.exists() else None
    resumed_from = None if epochs_done is None else f"epoch {epochs_done}"
    notify(f"run: {run.path}" + (f" (continued from {resumed_from})" if resumed_from else ""))
    begin_attempt(run, host=place().host, resumed_from=resumed_from)
    try:
        result = _fit(run, recorded.config, dataset)
        manifest = close_run(run, recorded, dataset, result, notify=notify)
    except PreemptedError as error:
        end_attempt(run, "interrupted", reason=error.what)
        raise
    except (Phase2Error, OSError) as error:
        with contextlib.suppress(OSError):  # a full disk has no room for the reason either
            end_attempt(run, "failed", reason=error.what if isinstance(error, Phase2Error) else str(error))
        raise
    return FinishedRun(run, manifest)


def _fit(run: RunDirectory, config: RunConfig, dataset: CrystalPropertyDataset) -> TrainingResult:
    files = TrainingFiles(best=run.best, checkpoint=run.checkpoint, history=run.history)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    trainer = Trainer(config, dataset, files, run_id=run.run_id, device=device, reporter=default_reporter())
    if run.checkpoint.exists():
        trainer.resume()
    return trainer.fit()
