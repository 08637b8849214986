"""The ``phase2`` command."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from phase2 import __version__
from phase2.cli import completion, doctor
from phase2.cli.cluster import cancel, logs, observe, pull, status
from phase2.cli.cluster.submission import cross_validate, submit, sweep
from phase2.cli.console import echo, echo_text
from phase2.cli.data import commands as data
from phase2.cli.models import embed, evaluate, predict
from phase2.cli.process.boundary import DEBUG_VARIABLE, run
from phase2.cli.runs import commands as runs
from phase2.cli.runs import report, transfer
from phase2.cli.training import explain, train
from phase2.cli.tuning import commands as tuning
from phase2.cli.tuning import lr_find
from phase2.cli.watch import command as watch
from phase2.cli.workflow import commands as workflow

app = typer.Typer(
    name="phase2",
    help="Train and use multi-task models of material properties.",
    add_completion=False,
    rich_markup_mode=None,  # importing rich for the help page alone would triple the start-up time
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _phase2(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,  # noqa: FBT002
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,  # noqa: FBT002
) -> None:
    if debug:
        os.environ[DEBUG_VARIABLE] = "1"
    if version:
        echo(f"phase2 {__version__}")
    elif context.invoked_subcommand is None:
        echo_text(f"{context.get_help()}\n")


app.command("train")(train.train)
app.command("predict")(predict.predict)
app.command("evaluate")(evaluate.evaluate)
app.command("embed")(embed.embed)
app.command("explain")(explain.explain)
app.command("lr-find")(lr_find.lr_find)
app.command("report")(report.report)
app.command("pull")(pull.pull)
app.command("doctor")(doctor.doctor)
app.command("completion")(completion.completion)
app.command("submit")(submit.submit)
app.command("sweep")(sweep.sweep)
app.command("cross-validate")(cross_validate.cross_validate)
app.command("status")(status.status)
app.command("watch")(watch.watch)
app.command("logs")(logs.logs)
app.command("cancel")(cancel.cancel)
app.command("observe")(observe.observe)
app.add_typer(tuning.app, name="tune")
app.add_typer(data.app, name="data")
app.add_typer(runs.app, name="runs")
app.add_typer(workflow.app, name="workflow")
app.add_typer(transfer.app, name="transfer")


def main(argv: list[str] | None = None) -> int:
    """Run the ``phase2`` command and return the process exit code."""
    answer = completion.answers(app)
    return run(app, argv, program="phase2") if answer is None else answer
