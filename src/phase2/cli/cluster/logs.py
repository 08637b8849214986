"""``phase2 logs``: what a submitted run has printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.cluster.options import ContextOption, NamespaceOption, SubmittedRun, connected, namespace_of
from phase2.cli.console import note
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.cluster.run_state import RunState

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
    """Print what a run's newest attempt or the steps of its Workflow have printed, or with --follow all to the end."""
    cluster = connected(context, namespace_of(context, namespace))
    found = cluster.find(run)
    client = cluster.client(found.carrier.backend)
    if follow:
        from phase2.cluster.follow import Follower

        Follower(client, found.name, on_state=note, on_line=typer.echo).follow()
        return
    pods = [str(pod["metadata"]["name"]) for pod in found.carrier.logged(client.pods(found.name))]
    if not pods:
        raise _nothing(cluster.state(found))
    if tail is not None:
        lines = "".join(client.log(pod, tail=tail) for pod in pods).splitlines(keepends=True)
        typer.echo("".join(lines[max(0, len(lines) - tail) :]), nl=False)
        return
    for pod in pods:
        if len(pods) > 1:
            note(f"--- {pod}")
        typer.echo(client.log(pod), nl=False)


def _nothing(state: RunState) -> RequestError:
    if state.has_ended:
        in_bucket = ", and Argo keeps what its steps printed in the bucket of the artifacts"
        archive = in_bucket if state.kind == "Workflow" else ""
        return RequestError(
            f"The log of the run '{state.run_id}' is gone.",
            why=f"It {state.sentence}, and its pods were removed.",
            fix=f"'phase2 runs show {state.run_id}' says what is in the store{archive}.",
        )
    return RequestError(
        f"The run '{state.run_id}' has printed nothing yet.",
        why=f"It {state.sentence}.",
        fix="Add --follow to wait for it.",
    )
