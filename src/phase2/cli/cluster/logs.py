"""``phase2 logs``: the logs of a submitted run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.cluster.options import ContextOption, NamespaceOption, RunArgument, connected, namespace_of
from phase2.cli.console import echo, echo_text, note
from phase2.errors import RequestError
from phase2.output.secrets import without_secrets

if TYPE_CHECKING:
    from phase2.cluster.run_state import RunState

FollowOption = Annotated[
    bool, typer.Option("--follow", "-f", help="Follow the log until the run has ended, over all attempts.")
]


def logs(
    run: RunArgument,
    follow: FollowOption = False,  # noqa: FBT002
    tail: Annotated[int | None, typer.Option("--tail", min=0, help="Print only this many lines from the end.")] = None,
    rank: Annotated[
        int, typer.Option("--rank", min=0, help="Of several pods that train the run, the one of this number.")
    ] = 0,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
) -> None:
    """Print the log of a run's newest attempt or of the steps of its Workflow; with --follow, to the end of the run."""
    from phase2.cluster.status.group import group_size

    cluster = connected(context, namespace_of(context, namespace))
    found = cluster.find(run)
    client = cluster.client(found.backend.name)
    _refuse_other_rank(found.run_id, rank, group_size(found.object))
    if follow:
        from phase2.cluster.follow import Follower

        Follower(client, found.name, on_state=note, on_line=echo, rank=rank).follow()
        return
    pods = [str(pod["metadata"]["name"]) for pod in found.backend.pods_to_log(client.pods(found.name), rank)]
    if not pods:
        raise _no_log_error(cluster.state(found), rank)
    if tail is not None:
        lines = "".join(client.log(pod, tail=tail) for pod in pods).splitlines(keepends=True)
        echo_text(without_secrets("".join(lines[max(0, len(lines) - tail) :])))
        return
    for pod in pods:
        if len(pods) > 1:
            note(f"--- {pod}")
        echo_text(without_secrets(client.log(pod)))


def _refuse_other_rank(run_id: str, rank: int, pods: int) -> None:
    if rank >= pods:
        raise RequestError(
            f"The run '{run_id}' has no pod of rank {rank}.",
            why="It has one pod." if pods == 1 else f"Its {pods} pods have the ranks 0 to {pods - 1}.",
            fix="Give another --rank, or none for the one that writes the run.",
        )


def _no_log_error(state: RunState, rank: int) -> RequestError:
    if state.state == "succeeded" and rank:
        return RequestError(
            f"The log of rank {rank} of the run '{state.run_id}' is gone.",
            why="Kubernetes deletes the pods of other ranks that have not ended when rank 0 has ended well.",
            fix=f"'phase2 logs {state.run_id}' has that of rank 0; follow this one while the run trains.",
        )
    if state.has_ended:
        archived = ", and Argo archives the logs of its steps in the bucket of the artifacts"
        archive = archived if state.kind == "Workflow" else ""
        return RequestError(
            f"The log of the run '{state.run_id}' is gone.",
            why=f"It {state.message}, and its pods were deleted.",
            fix=f"'phase2 runs show {state.run_id}' says what is in the store{archive}.",
        )
    return RequestError(
        f"The run '{state.run_id}' has printed nothing yet.",
        why=f"It {state.message}.",
        fix="Add --follow to wait for it.",
    )
