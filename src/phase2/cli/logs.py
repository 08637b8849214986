"""``phase2 logs``: what a submitted run has printed."""

from __future__ import annotations

from typing import Annotated

import typer

from phase2.cli.cluster_options import ContextOption, NamespaceOption, SubmittedRun, connected, namespace_of
from phase2.cli.console import note
from phase2.cli.status import state_of
from phase2.errors import RequestError

FollowOption = Annotated[
    bool, typer.Option("--follow", "-f", help="Go on until the run has ended, over all its attempts.")
]


def logs(
    run: SubmittedRun,
    follow: FollowOption = False,  # noqa: FBT002
    tail: Annotated[int | None, typer.Option("--tail", min=0, help="Only so many lines from the end.")] = None,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
) -> None:
    """Print what a run's newest attempt has printed, or with --follow all of it to its end."""
    client = connected(context, namespace_of(context, namespace))
    state = state_of(client, run)
    if follow:
        from phase2.cluster.following import Follower

        Follower(client, state.job, on_state=note, on_line=typer.echo).follow()
        return
    if state.pod is None and state.has_ended:
        raise RequestError(
            f"The log of the run '{state.run_id}' is gone.",
            why=f"It {state.sentence}, and its pods were removed.",
            fix=f"'phase2 runs show {state.run_id}' says what is in the store.",
        )
    if state.pod is None or state.state in {"waiting", "blocked", "queued"}:
        raise RequestError(
            f"The run '{state.run_id}' has printed nothing yet.",
            why=f"It {state.sentence}.",
            fix="Add --follow to wait for it.",
        )
    typer.echo(client.log(state.pod, tail=tail), nl=False)
