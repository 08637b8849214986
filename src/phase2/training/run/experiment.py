"""One run, from its request to its sealed, published run directory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import torch

from phase2.config.request.resume_request import ResumeRequest
from phase2.config.resolve import ResolvedRun
from phase2.config.schema import RunConfig
from phase2.data.dataset import CrystalPropertyDataset
from phase2.data.store.store import worker_count
from phase2.machine.hardware import thread_count
from phase2.machine.memory import graph_level, refuse_small_memory
from phase2.models.device import AUTO, choose_device
from phase2.models.precision import check_precision
from phase2.runs.ancestry.record import lineage_of
from phase2.runs.layout import RunDirectory
from phase2.runs.publish.delivery import deliver
from phase2.runs.records.lineage import Lineage
from phase2.runs.records.manifest import RunManifest, read_manifest
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.resume.find import ExistingRun, find_run_to_resume, finished_in_store, is_finished
from phase2.runs.resume.moved_data import refuse_missing_data
from phase2.runs.resume.reconcile import reconcile_settings
from phase2.runs.resume.restore import ClaimedRun, claim_run, restore_state
from phase2.storage.base import Store
from phase2.training.callbacks.base import Callback, DataProgress, RunEnd
from phase2.training.checkpoints.newest import newest_step
from phase2.training.checkpoints.writer import CheckpointSchedule
from phase2.training.fine_tuning.start import describe_start, inherit_normalisation
from phase2.training.interruption import StopRequest
from phase2.training.parallel.group import WorkerGroup
from phase2.training.run.attempt import RunAttempt
from phase2.training.run.description import describe_dataset
from phase2.training.run.features import with_features
from phase2.training.run.shared_data import SharedData


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run that is finished.

    Attributes:
        directory: Its folder.
        manifest: Its sealed manifest.
        published: Its address in the store; None without a store.
    """

    directory: RunDirectory
    manifest: RunManifest
    published: str | None = None


def _ignore(_: str) -> None:
    return


@dataclass(frozen=True, slots=True)
class RunContext:
    """Settings of a training process that change no number of the run.

    Attributes:
        workers: Processes that build the graph store; one per core by default.
        store: Store of checkpoints and of the finished run; None keeps them in the run directory alone.
        schedule: How often checkpoints are saved.
        device: ``auto`` (a GPU where there is one), ``cpu``, ``cuda`` or ``cuda:1``.
        callback: Receives the progress of data and training.
        stop: Request to stop; none is made by default.
        notify: Callback receiving one line for the user.
        with_baselines: Whether gradient boosting is fitted beside the network, at the end of the run.
        memory_checked_for: Configuration that the caller has compared with the memory limit already, as the command
            line does before it imports torch.
        data: Data that runs of this process share; None loads them for each run.
        group: The processes that train the run together, of which this is the first; by default it trains alone.
    """

    workers: int | None = None
    store: Store | None = None
    schedule: CheckpointSchedule = field(default_factory=CheckpointSchedule)
    device: str = AUTO
    callback: Callback = field(default_factory=Callback)
    stop: StopRequest = field(default_factory=StopRequest)
    notify: Callable[[str], None] = _ignore
    with_baselines: bool = True
    memory_checked_for: RunConfig | None = None
    data: SharedData | None = None
    group: WorkerGroup = field(default_factory=WorkerGroup)


def train_run(
    resolved: ResolvedRun,
    resumption: ResumeRequest = ResumeRequest(),  # noqa: B008 - frozen
    context: RunContext = RunContext(),
) -> FinishedRun:
    """Train a run to its end, from its first step or from its newest checkpoint.

    The data are loaded before the run directory is made, so that a request that cannot be carried out leaves no files.

    Args:
        resolved: The request and its configuration.
        resumption: Which run to resume, if any.
        context: Settings of this process.

    Raises:
        RequestError: There is nothing to resume, the settings of the run differ, the output folder or the store cannot
            be used, or the memory limit is too low.
        DataError: The data cannot be used.
        ModelFileError: The checkpoint cannot be used.
        CallbackError: A callback raised; the run can be resumed.
        PreemptedError: A stop was requested; the run can be resumed.
        TransientError: The store does not answer; the trained run is in its directory. Or another process that trained
            the run has ended; the run can be resumed.
    """
    check_precision(choose_device(context.device), resolved.config.training.precision)
    torch.set_num_threads(thread_count())
    existing = find_run_to_resume(resolved, resumption, context.store)
    resolved, _ = reconcile_settings(resolved, existing.recorded if existing else None, resumption)
    if existing is not None and (finished := _finished_before(resolved.request.output, existing, context)):
        return _publish(finished, context)
    refuse_missing_data(resolved.config.data.source, existing.recorded if existing else None)
    # Before anything is written, too; a run that is continued has recorded it.
    lineage = lineage_of(resolved.config) if existing is None or existing.recorded is None else None
    dataset = (context.data or SharedData()).get(resolved.config, partial(load_dataset, resolved.config, context))
    claimed = claim_run(resolved, existing, context.store, run_id=resumption.run_id)
    with claimed.directory.lock():
        _complete(claimed, resolved, resumption, dataset, context, lineage)
        return _publish(claimed.directory, context)


def _finished_before(output: Path, existing: ExistingRun, context: RunContext) -> RunDirectory | None:
    """Return the directory of a run that is finished on this machine or in the store, from which it is pulled."""
    run = RunDirectory(output / existing.prefix)
    if is_finished(run):
        context.notify(f"{run.path} is finished already")
        return run
    published = finished_in_store(existing, context.store) if context.store is not None else None
    if published is None:
        return None
    context.notify(f"{existing.prefix} is finished already, in {published.store.url}")
    return published.pull(output)


def load_dataset(config: RunConfig, context: RunContext) -> CrystalPropertyDataset:
    """Load the data, and compare the memory that the run needs with the limit as soon as each part is known."""
    notify = context.notify
    if context.memory_checked_for != config:
        refuse_small_memory(config, notify, workers=worker_count(context.workers))

    def progress(done: int, total: int | None) -> None:
        context.callback.on_data_progress(DataProgress(done, total))

    try:
        dataset = CrystalPropertyDataset.load(
            config.data,
            config.properties,
            stored_in=context.store,
            workers=context.workers,
            drop_unlabelled_properties=config.all_properties,
            progress=progress,
        )
        dataset = with_features(dataset, config, workers=worker_count(context.workers), progress=progress)
    finally:
        context.callback.on_data_end()
    describe_dataset(config, dataset, notify)
    mean_size = float(dataset.graphs.offset(graph_level(config))[-1]) / len(dataset.graphs)
    refuse_small_memory(config, notify, graph_size=mean_size)
    return dataset


def _complete(
    claimed: ClaimedRun,
    resolved: ResolvedRun,
    resumption: ResumeRequest,
    dataset: CrystalPropertyDataset,
    context: RunContext,
    lineage: Lineage | None,
) -> None:
    """Restore the run into its locked directory, and train it to the end unless it is finished."""
    run, was_finished = claimed.directory, is_finished(claimed.directory)
    if was_finished:
        recorded = RecordedConfig.read(run)
    else:
        recorded = restore_state(claimed, resolved, local_step=newest_step, notify=context.notify, lineage=lineage)
    # Another process may have started or finished the run, with other settings, since it was looked for. What is
    # trained is decided by now: the settings of the run are no longer adopted.
    _, changed = reconcile_settings(resolved, recorded, replace(resumption, run=None))
    if was_finished:
        return
    if dataset.rejected:
        shutil.copyfile(dataset.store.path / run.rejected.name, run.rejected)
    describe_start(dataset, recorded.lineage, context.notify)
    attempt = RunAttempt(
        run=run,
        recorded=recorded,
        dataset=inherit_normalisation(dataset, recorded.lineage),
        remote=claimed.remote,
        schedule=context.schedule,
        accepted=resumption.accepted,
        changed=changed,
        notify=context.notify,
        callback=context.callback,
        device=choose_device(context.device),
        with_baselines=context.with_baselines,
        group=context.group,
    )
    context.group.send(recorded.model_dump_json().encode())
    attempt.complete(context.stop)


def _publish(run: RunDirectory, context: RunContext) -> FinishedRun:
    context.group.dismiss()
    url = None
    if context.store is not None:
        url = deliver(context.store, run, undisturbed=context.stop.deferred_until_done, notify=context.notify)
    manifest = read_manifest(run.manifest)
    context.callback.on_run_end(RunEnd(run, manifest, url))
    return FinishedRun(run, manifest, url)
