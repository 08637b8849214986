"""``phase2 tune``: search settings by trials, each an ordinary run."""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import echo, note, print_table
from phase2.cli.notification import NotifyOnOption, NotifyOption, notices
from phase2.cli.options import AcceptOption, DeviceOption
from phase2.cli.request_options import takes_request
from phase2.cli.store import JsonOption, StoreOption, open_command_store, open_existing_store, print_json
from phase2.cli.training.continuation import continued_by
from phase2.cli.training.monitoring import LogFormatOption, MetricsOption, Monitoring, StallOption
from phase2.cli.training.options import DryRunOption, PublishOption
from phase2.cli.training.run_messages import study_message
from phase2.cli.training.tracking import TrackOption, check_track, tracked_run
from phase2.cli.tuning import deletion, submit
from phase2.cli.tuning.options import (
    HoursOption,
    MinimiseOption,
    NameOption,
    OverOption,
    PrunerOption,
    SpaceOption,
    StudyOptions,
    TrialsOption,
    check_hours,
)
from phase2.config.request.run_request import RunRequest
from phase2.config.settings import (
    BASELINES_VARIABLE,
    STALL_MINUTES,
    STORE_VARIABLE,
    reserved_gpus,
    store_url,
    workflow_name,
)
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.training.callbacks.base import Callback
    from phase2.tuning.definition import StudyDefinition
    from phase2.tuning.study import Trial

WorkerOption = Annotated[
    bool,
    typer.Option(
        "--worker", help="One of several: refuse to work without a store, and end when the others do the rest."
    ),
]
TrialBaselinesOption = Annotated[
    bool,
    typer.Option(
        "--baselines/--no-baselines",
        help="Fit gradient boosting at the end of each trial, too; it says nothing about the searched settings.",
        envvar=BASELINES_VARIABLE,
        show_envvar=False,
    ),
]
BEST = Path("best.yaml")
BestOption = Annotated[Path, typer.Option("--best", help="Configuration file of the best trial to write.")]

app = typer.Typer(
    help="Search settings by trials, each an ordinary run.", rich_markup_mode=None, invoke_without_command=True
)


def _tune(  # noqa: PLR0913 - options
    request: RunRequest,
    context: typer.Context,
    *,
    over: OverOption = None,
    space: SpaceOption = None,
    trials: TrialsOption = None,
    name: NameOption = None,
    minimise: MinimiseOption = None,
    pruner: PrunerOption = None,
    timeout_hours: HoursOption = None,
    worker: WorkerOption = False,
    best: BestOption = BEST,
    accept_change: AcceptOption = None,
    stall_minutes: StallOption = STALL_MINUTES,
    metrics_port: MetricsOption = None,
    log_format: LogFormatOption = None,
    track: TrackOption = None,
    notify: NotifyOption = None,
    notify_on: NotifyOnOption = None,
    device: DeviceOption = "auto",
    store: PublishOption = None,
    baselines: TrialBaselinesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Search settings by trials, each an ordinary run, and write a configuration file of the best.

    The score is that of the validation part: the test part has no say. The same command continues a study that was
    interrupted, and several at once, with one --name and --store, share the work.
    """
    if context.invoked_subcommand is not None:
        return
    check_hours(timeout_hours)
    monitoring = Monitoring(stall_minutes, metrics_port, log_format=log_format)
    trackers, messages = check_track(track), notices(notify, notify_on)
    if (gpus := reserved_gpus()) > 1:
        raise RequestError(
            f"A trial trains on one GPU, and this pod reserves {gpus}.",
            why="The others would stay idle.",
            fix="Give the parameter gpus=1, and more workers.",
        )
    place = open_command_store(store) if store or store_url() else None
    if worker and place is None:
        raise RequestError(
            "--worker needs a store.",
            why="Workers share the study through it.",
            fix=f"Add --store, or set {STORE_VARIABLE}.",
        )
    kept = place or open_command_store(str(request.output))
    options = StudyOptions(name=name, over=over, space=space, minimise=minimise, pruner=pruner, trials=trials)
    definition = options.define(request, store=kept)
    if dry_run:
        _print_definition(definition)
        return
    from phase2.tuning.study import Study  # before anything is kept: it needs Optuna

    definition = definition.save(kept)
    study = Study(kept, definition)
    note(f"study: {definition.name}, in {kept.url}")
    from phase2.training.callbacks.composite import CompositeCallback
    from phase2.training.interruption import SignalStopRequest
    from phase2.training.run.experiment import RunContext
    from phase2.tuning.result import outcome
    from phase2.tuning.worker import StudyWorker, WorkOrder

    order = WorkOrder(
        trials=trials or definition.trials,
        output=request.output,
        deadline=math.inf if timeout_hours is None else time.monotonic() + 3600 * timeout_hours,
        waits=not worker,
        accepted=tuple(accept_change or ()),
    )

    def on_trial(trial: Trial) -> None:
        note(f"trial {trial.number}: {outcome(trial, definition.measure)}")

    @contextmanager
    def callbacks() -> Iterator[Callback]:
        with monitoring.callbacks() as made, tracked_run(trackers) as pages:
            yield CompositeCallback([*made, *pages])

    again = f"Run the same command with --name {definition.name}."
    with messages.at_end(f"study {definition.name}") as ending, continued_by(again), SignalStopRequest() as stop:
        run_context = RunContext(store=place, device=device, stop=stop, notify=note, with_baselines=baselines)
        StudyWorker(study, kept, order, run_context, on_trial=on_trial, callbacks=callbacks).work()
        ending.message = lambda: study_message(definition, study.trials())
    _print_result(definition, study.trials(), best=best, as_json=as_json)


app.callback()(takes_request(_tune))
app.command("submit")(submit.submit)
app.command("delete")(deletion.delete)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help='Name of the study; "" is that of this workflow.')],
    store: StoreOption = None,
    best: Annotated[Path | None, typer.Option("--best", help="Configuration file of the best trial to write.")] = None,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show the trials of a study: values, validation score, run and state."""
    from phase2.tuning.claims import Claims
    from phase2.tuning.definition import StudyDefinition
    from phase2.tuning.result import with_interrupted
    from phase2.tuning.study import Study

    place = open_existing_store(store)
    definition = StudyDefinition.load(place, name or workflow_name() or "")
    trials = with_interrupted(Study(place, definition).trials(), Claims(place, definition.name))
    _print_result(definition, trials, best=None, as_json=as_json)
    if best is not None:
        _write_best(best, definition, trials)


def _print_definition(definition: StudyDefinition) -> None:
    echo(f"study {definition.name}: {definition.trials} trials, {definition.measure}, pruner {definition.pruner}")
    echo(f"each trial: {shlex.join(definition.command)}")
    for text in definition.space:
        echo(f"searched: {text}")


def _print_result(definition: StudyDefinition, trials: list[Trial], *, best: Path | None, as_json: bool) -> None:
    from phase2.tuning.result import best_trial, study_facts, trial_rows

    if as_json:
        print_json(study_facts(definition, trials))
    else:
        columns, rows = trial_rows(definition, trials)
        print_table(f"study {definition.name}", columns, rows, numeric=(definition.measure, "epochs"))
    if best is None:
        return
    if best_trial(trials) is None:
        note("no trial is complete: there is no best to write")
    else:
        _write_best(best, definition, trials)


def _write_best(path: Path, definition: StudyDefinition, trials: list[Trial]) -> None:
    """Write the configuration file of the best trial; raises ``DataError`` where there is none."""
    from phase2.tuning.result import write_best

    write_best(path, definition, trials)
    note(f"best: {path}; train it: phase2 train --config {path}")
