"""``phase2 train``: train one run here, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import note
from phase2.cli.notification import NotifyOnOption, NotifyOption, notices
from phase2.cli.options import AcceptOption, DeviceOption
from phase2.cli.request_options import takes_request
from phase2.cli.store import local_runs, open_command_store
from phase2.cli.training.dry_run import find_and_reconcile, print_run
from phase2.cli.training.follow import errors_shared, follow, joined
from phase2.cli.training.monitoring import LogFormatOption, MetricsOption, Monitoring, StallOption, TextfileOption
from phase2.cli.training.processes import GpusOption, Processes, ProcessesOption, launch, refuse_missing_gpus
from phase2.cli.training.run_messages import run_message
from phase2.cli.training.tracking import TrackOption, check_track, tracked_run
from phase2.config.request.resume_request import ResumeRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.settings import (
    BASELINES_VARIABLE,
    CHECKPOINT_MINUTES,
    STALL_MINUTES,
    STORE_VARIABLE,
    run_to_resume,
    store_url,
)
from phase2.errors import RequestError
from phase2.machine.rank import rank_of_process, refuse_many_processes

if TYPE_CHECKING:
    from phase2.cli.notification import Ending
    from phase2.cli.training.group import RunGroup
    from phase2.config.resolve import ResolvedRun
    from phase2.storage.base import Store
    from phase2.training.run.experiment import FinishedRun, RunContext

RunToResume = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN",
        help="With --resume: the run to continue, by id, folder name or path, with its options.",
        autocompletion=local_runs,
    ),
]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Continue RUN, or the newest unfinished run of this request.")
]
MinutesOption = Annotated[
    float, typer.Option("--checkpoint-minutes", help="Longest time between two checkpoints; each epoch has one, too.")
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", help="Processes that build the graphs (default: one per core).")
]
PublishOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        help=f"Keep checkpoints and the run here: s3://bucket/prefix or a folder (default: ${STORE_VARIABLE}).",
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option("--report-to", help="Write run-id, row.json, mae.md and report.md of the finished run here."),
]
BaselinesOption = Annotated[
    bool,
    typer.Option(
        "--baselines/--no-baselines",
        help="Fit gradient boosting at the end of the run, to compare the network with.",
        envvar=BASELINES_VARIABLE,
        show_envvar=False,
    ),
]
EnsembleOption = Annotated[
    int | None,
    typer.Option(
        "--ensemble",
        help="Train so many runs that differ in their seed, to predict together; --resume NAME continues them.",
    ),
]
AlsoAloneOption = Annotated[
    bool,
    typer.Option(
        "--also-alone",
        help="Train each property also in a run of its own, and say which is better; --resume NAME continues them.",
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print what would run, and stop.")]


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
        _run_context,
        workers=workers,
        place=place,
        checkpoint_minutes=checkpoint_minutes,
        monitoring=monitoring,
        device=members,
        baselines=baselines,
        trackers=trackers,
    )
    accepted = tuple(accept_change or ())
    if ensemble is not None or also_alone:
        _refuse_for_groups(ensemble, also_alone=also_alone, report_to=report_to, processes=members.asked)
        group = _group(request, ensemble, run, ResumeRequest(resume, accepted=accepted))
        group.print_plan() if dry_run else group.train(context, place, messages)
        return
    from phase2.config.resolve import resolve

    resolved, resumption = resolve(request), ResumeRequest(resume, run, accepted)
    if dry_run:
        from phase2.data.stored.opening import open_data_set

        found, existing = find_and_reconcile(resolved, resumption, place)
        open_data_set(found.config.data.source, store=place)  # refuses what is none
        print_run(found, resumption, existing)
        return

    if members.to_start:
        _launch(members, resolved, resumption, workers)
        return
    from phase2.runs.resume.find import names_finished_run

    rank, is_closed = rank_of_process(), partial(names_finished_run, resolved, resumption, place)
    if not rank.is_first:
        follow(members, workers, place, is_closed)
        return
    # The others of a finished run have ended, and would not come.
    context = partial(context, alone=rank.spans_machines and is_closed())
    with messages.at_end("a run") as ending:
        finished = _train(resolved, resumption, partial(context, ending=ending), workers)
        ending.message = partial(run_message, finished)
    from phase2.cli.runs.summary import print_summary

    print_summary(finished)
    if report_to is not None:
        from phase2.runs.catalog.outputs import write_report

        write_report(report_to, finished.manifest, finished.directory.handoff.read_text(encoding="utf-8"))


def _group(request: RunRequest, ensemble: int | None, name: str | None, resumption: ResumeRequest) -> RunGroup:
    """Return the runs of an ensemble, or else those of several properties together and alone."""
    if ensemble is not None:
        from phase2.cli.training.ensemble import Ensemble

        return Ensemble.named(request, ensemble, name, resumption)
    from phase2.cli.training.also_alone import AlsoAlone

    return AlsoAlone.named(request, name, resumption)


def _refuse_for_groups(
    ensemble: int | None, *, also_alone: bool, report_to: Path | None, processes: int | None
) -> None:
    """Refuse options that go with one run alone."""
    if ensemble is not None and also_alone:
        raise RequestError(
            "--ensemble and --also-alone exclude each other.",
            why="The better of two runs is not known before they are trained.",
            fix="Train with --also-alone first, and then an ensemble of what was better.",
        )
    option = "--also-alone" if also_alone else "--ensemble"
    if report_to is not None:
        raise RequestError(
            f"--report-to and {option} exclude each other.", why="The report is that of one run.", fix="Drop one."
        )
    if (processes or 1) > 1:
        raise RequestError(
            f"{option} and several processes exclude each other.",
            why="The processes share the batches of one run.",
            fix="Leave out --gpus and --processes, or train the runs one by one.",
        )


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


@contextmanager
def _run_context(  # noqa: PLR0913 - keywords
    *,
    workers: int | None,
    place: Store | None,
    checkpoint_minutes: float,
    monitoring: Monitoring,
    device: Processes,
    baselines: bool,
    trackers: tuple[str, ...],
    alone: bool = False,
    ending: Ending | None = None,
    checked: ResolvedRun | None = None,
) -> Iterator[RunContext]:
    """Provide the settings of this process for one run; ``checked`` has been compared with the memory limit."""
    from phase2.training.callbacks.composite import CompositeCallback
    from phase2.training.checkpoints.writer import CheckpointSchedule
    from phase2.training.interruption import SignalStopRequest
    from phase2.training.parallel.group import WorkerGroup
    from phase2.training.run.experiment import RunContext

    with (
        SignalStopRequest() as stop,
        monitoring.callbacks() as callbacks,
        tracked_run(trackers, ending) as pages,
    ):
        own = device.own_device()
        yield RunContext(
            workers=workers,
            store=place,
            schedule=CheckpointSchedule(minutes=checkpoint_minutes),
            device=own,
            group=WorkerGroup() if alone else joined(own),
            callback=CompositeCallback([*callbacks, *pages]),
            stop=stop,
            notify=note,
            with_baselines=baselines,
            memory_checked_for=checked.config if checked else None,
        )
