"""``phase2 train``: train one run here, in this process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

from phase2.cli.console import note
from phase2.cli.notification import NotifyOnOption, NotifyOption, notices
from phase2.cli.options import AcceptOption, DeviceOption
from phase2.cli.request_options import takes_request
from phase2.cli.store import open_command_store
from phase2.cli.training.context import run_context
from phase2.cli.training.continuation import continued_as_started
from phase2.cli.training.dry_run import find_and_reconcile, print_run
from phase2.cli.training.follow import errors_shared, follow
from phase2.cli.training.group_options import refuse_for_groups, run_group
from phase2.cli.training.monitoring import LogFormatOption, MetricsOption, Monitoring, StallOption, TextfileOption
from phase2.cli.training.options import (
    AlsoAloneOption,
    AlsoFineTunedOption,
    BaselinesOption,
    DryRunOption,
    EnsembleOption,
    MinutesOption,
    PublishOption,
    ReportOption,
    ResumeOption,
    RunToResume,
    WorkersOption,
)
from phase2.cli.training.processes import GpusOption, Processes, ProcessesOption, launch, refuse_missing_gpus
from phase2.cli.training.run_messages import run_message
from phase2.cli.training.tracking import TrackOption, check_track
from phase2.config.multirun.ways import Ways
from phase2.config.request.resume_request import ResumeRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.settings import (
    CHECKPOINT_MINUTES,
    STALL_MINUTES,
    run_to_resume,
    store_url,
)
from phase2.errors import RequestError
from phase2.machine.rank import rank_of_process, refuse_many_processes

if TYPE_CHECKING:
    from phase2.config.resolve import ResolvedRun
    from phase2.training.run.experiment import FinishedRun, RunContext


def train_request(  # noqa: PLR0913 - options
    request: RunRequest,
    run: RunToResume = None,
    *,
    resume: ResumeOption = False,
    accept_change: AcceptOption = None,
    checkpoint_minutes: MinutesOption = CHECKPOINT_MINUTES,
    stall_minutes: StallOption = STALL_MINUTES,
    metrics_port: MetricsOption = None,
    metrics_textfile: TextfileOption = None,
    log_format: LogFormatOption = None,
    track: TrackOption = None,
    notify: NotifyOption = None,
    notify_on: NotifyOnOption = None,
    workers: WorkersOption = None,
    device: DeviceOption = "auto",
    store: PublishOption = None,
    report_to: ReportOption = None,
    baselines: BaselinesOption = True,
    ensemble: EnsembleOption = None,
    also_alone: AlsoAloneOption = False,
    also_fine_tuned: AlsoFineTunedOption = False,
    gpus: GpusOption = None,
    processes: ProcessesOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Train a multi-task model and leave a complete run directory."""
    if run is None and not resume:
        run = run_to_resume()
        resume = run is not None
    if not checkpoint_minutes > 0:
        raise RequestError(f"--checkpoint-minutes {checkpoint_minutes} is not a positive number.", fix="Give 5, say.")
    monitoring = Monitoring(stall_minutes, metrics_port, metrics_textfile, log_format)
    members = Processes(gpus, processes, device)
    trackers, messages = check_track(track), notices(notify, notify_on)
    # Opened before hours are spent on a run that could not be published then.
    place = open_command_store(store) if store or store_url() else None
    context = partial(
        run_context,
        workers=workers,
        place=place,
        checkpoint_minutes=checkpoint_minutes,
        monitoring=monitoring,
        device=members,
        baselines=baselines,
        trackers=trackers,
    )
    accepted = tuple(accept_change or ())
    ways = Ways(also_alone, also_fine_tuned)
    if ensemble is not None or ways.names:
        refuse_for_groups(ensemble, ways, report_to=report_to, processes=members.asked)
        group = run_group(request, ensemble, ways, run, ResumeRequest(resume, accepted=accepted))
        group.print_plan() if dry_run else group.train(context, place, messages)
        return
    from phase2.config.resolve import resolve
    from phase2.runs.resume.run_path import in_output_of_run

    resumption = ResumeRequest(resume, run, accepted)
    resolved = resolve(in_output_of_run(request, resumption))
    if dry_run:
        from phase2.data.stored.opening import open_data_set

        found, existing = find_and_reconcile(resolved, resumption, place)
        open_data_set(found.config.data.source, store=place)  # refuses what is none
        print_run(found, resumption, existing)
        return

    if members.to_start:
        with continued_as_started():
            _launch(members, resolved, resumption, workers)
        return
    from phase2.runs.resume.find import names_finished_run

    rank, is_closed = rank_of_process(), partial(names_finished_run, resolved, resumption, place)
    if not rank.is_first:
        follow(members, workers, place, is_closed)
        return
    # The others of a finished run have ended, and would not come.
    context = partial(context, alone=rank.spans_machines and is_closed())
    with messages.at_end("a run") as ending, continued_as_started():
        finished = _train(resolved, resumption, partial(context, ending=ending), workers)
        ending.message = partial(run_message, finished)
    from phase2.cli.runs.summary import print_summary

    print_summary(finished)
    if report_to is not None:
        from phase2.runs.catalog.outputs import write_report

        write_report(report_to, finished.manifest, finished.directory.handoff.read_text(encoding="utf-8"))


def _launch(members: Processes, resolved: ResolvedRun, resumption: ResumeRequest, workers: int | None) -> None:
    """Start the processes that train the run together, once it is known that they can."""
    from phase2.data.store.store import worker_count
    from phase2.machine.memory import refuse_small_memory

    count = members.to_start
    if members.gpus:
        refuse_missing_gpus(count)
    if resumption.run is None:  # whose configuration is not known yet
        refuse_many_processes(count * rank_of_process().processes, resolved.config.training.batch_size)
        refuse_small_memory(resolved.config, note, workers=worker_count(workers), processes=count)
    launch(count)


def _train(
    resolved: ResolvedRun,
    resumption: ResumeRequest,
    context: Callable[..., AbstractContextManager[RunContext]],
    workers: int | None,
) -> FinishedRun:
    from phase2.data.store.store import worker_count
    from phase2.machine.memory import refuse_small_memory

    is_named_run = resumption.run is not None  # whose configuration is not known yet
    if not is_named_run:  # before torch is imported, which alone exceeds the smallest limits
        refuse_small_memory(resolved.config, note, workers=worker_count(workers))
    from phase2.training.run.experiment import train_run

    with context(checked=None if is_named_run else resolved) as settings, errors_shared(settings.group):
        return train_run(resolved, resumption, settings)


train = takes_request(train_request)
