"""One run, from its request to its sealed, published run directory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch

from phase2.config.resolve import ResolvedRun
from phase2.config.resumption import ResumeRequest
from phase2.config.schema import RunConfig
from phase2.config.settings import run_id_of_process
from phase2.data.dataset import CrystalPropertyDataset
from phase2.machine.hardware import thread_count
from phase2.machine.memory import graph_level, refuse_small_memory
from phase2.runs.keys import manifest_key
from phase2.runs.layout import RunDirectory
from phase2.runs.manifest import RunManifest, read_manifest
from phase2.runs.publish.delivery import deliver
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.remote.state import RemoteRun
from phase2.runs.resume.config_diff import refuse_other_settings
from phase2.runs.resume.find import BegunRun, is_finished, run_id_conflict
from phase2.runs.run_config import RecordedConfig
from phase2.storage.base import Store
from phase2.storage.disk.atomic import remove_temporary_files
from phase2.storage.progress import ProgressCallback
from phase2.training.checkpoints.writer import CheckpointSchedule
from phase2.training.interruption import StopRequest
from phase2.training.run.attempt import RunAttempt
from phase2.training.run.reconcile import bring, find_run_to_resume, reconcile_settings

DataProgress = Callable[[], AbstractContextManager[ProgressCallback | None]]


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


def _quiet(_: str) -> None:
    return


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a run is trained with besides its configuration; nothing of it changes a number.

    Attributes:
        workers: Processes that build the graph store; one per core by default.
        store: Where checkpoints and the finished run go; nowhere when None.
        plan: How often checkpoints are saved.
        data_progress: Factory of a context manager that yields the callback for the progress of building graphs.
        notify: Is told one line about each thing a user should know.
    """

    workers: int | None = None
    store: Store | None = None
    plan: CheckpointSchedule = field(default_factory=CheckpointSchedule)
    data_progress: DataProgress = nullcontext
    notify: Callable[[str], None] = _quiet


def train_run(
    resolved: ResolvedRun,
    resumption: ResumeRequest = ResumeRequest(),  # noqa: B008 - frozen
    surroundings: RunContext = RunContext(),
) -> FinishedRun:
    """Train a run to its end, from nothing or from its last checkpoint, here or in the store.

    The data are opened before the run directory is made, so a request that cannot be carried out leaves nothing behind.

    Args:
        resolved: The request and its configuration.
        resumption: Which run to continue, if any.
        surroundings: What it is trained with.

    Raises:
        RequestError: There is nothing to resume, or the output folder or the store cannot be used.
        DataError: The data cannot be used.
        ModelFileError: The checkpoint cannot be used.
        PreemptedError: SIGTERM or Ctrl-C came; the run can be resumed.
        TransientError: The store does not answer; what was trained is in the run directory.
    """
    torch.set_num_threads(thread_count())
    with StopRequest() as stop:
        begun = find_run_to_resume(resolved, resumption, surroundings.store)
        resolved, changed = reconcile_settings(resolved, begun, resumption)
        if begun is not None and (finished := _finished_before(resolved, begun, surroundings)):
            return _delivered(finished, surroundings, stop)
        dataset = _load(resolved.config, surroundings)
        mean_size = float(dataset.graphs.offset(graph_level(resolved.config))[-1]) / len(dataset.graphs)
        refuse_small_memory(resolved.config, surroundings.notify, graph_size=mean_size)
        run, stored = _place(resolved, begun, surroundings.store)
        with run.lock():
            # Whoever had the lock until now may have finished the run.
            if not is_finished(run):
                recorded = _prepare(run, resolved, stored, surroundings)
                refuse_other_settings(recorded, resolved.config, accepted=resumption.accepted)
                _copy_rejections(run, dataset)
                attempt = RunAttempt(
                    run, recorded, dataset, stored, surroundings.plan, resumption.accepted, changed, surroundings.notify
                )
                attempt.complete(stop)
            return _delivered(run, surroundings, stop)


def _finished_before(resolved: ResolvedRun, begun: BegunRun, surroundings: RunContext) -> RunDirectory | None:
    """The directory of a run that is finished, here or in the store, from where it is brought."""
    output, store = resolved.request.output, surroundings.store
    run = RunDirectory(output / begun.prefix)
    if is_finished(run):
        surroundings.notify(f"{run.path} is finished already")
        return run
    if store is None or not begun.is_stored or store.head(manifest_key(begun.prefix)) is None:
        return None
    surroundings.notify(f"{begun.prefix} is finished already, in {store.url}")
    return PublishedRun.open(store, begun.prefix).pull(output)


def _load(config: RunConfig, surroundings: RunContext) -> CrystalPropertyDataset:
    with surroundings.data_progress() as progress:
        dataset = CrystalPropertyDataset.load(
            config.data,
            config.properties,
            workers=surroundings.workers,
            drop_unlabelled_properties=config.all_properties,
            progress=progress,
        )
    split, notify = dataset.split, surroundings.notify
    parts = f"{len(split.train)} training, {len(split.val)} validation, {len(split.test)} test crystals"
    notify(f"data: {config.data.source}: {parts}")
    left_out = [key for key in config.properties if key not in {p.key for p in dataset.properties}]
    if left_out:
        notify(f"left out, for want of labels: {', '.join(left_out)}")
    if dataset.rejected:
        notify(f"{dataset.rejected} records are no valid crystal; reasons: rejected.csv in the run folder")
    return dataset


def _place(resolved: ResolvedRun, begun: BegunRun | None, store: Store | None) -> tuple[RunDirectory, RemoteRun | None]:
    """The folder of a run, new or begun, and what the store holds of it."""
    output = resolved.request.output
    if begun is None:
        run = RunDirectory.create(output, resolved.config.family, run_id=run_id_of_process())
    else:
        run = RunDirectory.reopen(output, begun.prefix)
    if store is None:
        return run, None
    stored = RemoteRun.claim(store, run)
    mine = f"{run.family}/{run.name}"
    if stored.prefix != mine:
        if begun is not None:
            raise run_id_conflict(run.run_id, mine, stored.prefix)
        run.path.rmdir()  # another process was given the id a moment ago
        run = RunDirectory.reopen(output, stored.prefix)
    return run, stored


def _prepare(
    run: RunDirectory, resolved: ResolvedRun, stored: RemoteRun | None, surroundings: RunContext
) -> RecordedConfig:
    """Make the folder what the run's last attempt left, wherever it left it."""
    remove_temporary_files(run.path)
    if not run.run_config.exists() and (stored is None or not stored.is_announced):
        RecordedConfig.record(run, resolved)
    if stored is not None:
        bring(stored, run, surroundings.notify)
    return RecordedConfig.read(run)


def _copy_rejections(run: RunDirectory, dataset: CrystalPropertyDataset) -> None:
    if dataset.rejected:
        shutil.copyfile(dataset.store.path / run.rejected.name, run.rejected)


def _delivered(run: RunDirectory, surroundings: RunContext, stop: StopRequest) -> FinishedRun:
    url = None
    if surroundings.store is not None:
        url = deliver(surroundings.store, run, undisturbed=stop.deferred_until_done, notify=surroundings.notify)
    return FinishedRun(run, read_manifest(run.manifest), url)
