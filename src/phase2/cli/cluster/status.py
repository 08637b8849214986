"""``phase2 status``: the state of submitted runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.cluster.options import ContextOption, NamespaceOption, connected, namespace_of
from phase2.cli.console import note, print_table
from phase2.cli.store import JsonOption, print_json

if TYPE_CHECKING:
    from phase2.cluster.namespace import Cluster
    from phase2.cluster.run_state import RunState


def status(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]", help="Run id, name of its Job or Workflow, or a unique prefix; all without it."
        ),
    ] = None,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show the state of submitted runs, and what is wrong with those that do not run."""
    from phase2.cli.cluster.watch import state_facts

    cluster = connected(context, namespace_of(context, namespace))
    if run is None:
        _print_all(cluster, as_json=as_json)
        return
    state = cluster.state(cluster.find(run))
    if as_json:
        print_json(state_facts(state))
        return
    typer.echo(f"{state.run_id} {state.state}: {state.message}")
    for name, value in _details(state):
        typer.echo(f"  {name:<8} {value}")


def _print_all(cluster: Cluster, *, as_json: bool) -> None:
    from phase2.cli.cluster.watch import state_facts

    states = cluster.states()
    if as_json:
        print_json([state_facts(state) for state in states])
        return
    if not states:
        note(f"no run in the namespace {cluster.namespace}")
        return
    rows = [
        (state.run_id, state.algorithm, state.mode, state.state, _age(state.created), state.message) for state in states
    ]
    print_table("", ("run", "algorithm", "mode", "state", "age", "what it does"), rows, numeric=("age",))


def _details(state: RunState) -> Iterator[tuple[str, str]]:
    from phase2.cluster.run_state import SWEEP

    yield "command", state.command
    yield "age", _age(state.created)
    yield state.kind.lower(), state.name
    if state.pod:
        yield "pod", state.pod + (f" on {state.node}" if state.node else "")
    if state.state == "succeeded":
        shown = f"phase2 runs show {state.run_id}, phase2 pull {state.run_id}"
        yield "next", "phase2 runs list" if state.mode == SWEEP else shown
    elif state.state in {"failed", "cancelled"}:
        yield "next", f"phase2 logs {state.run_id}; to resume: {state.resume_command}"
    elif state.pod:
        yield "next", f"phase2 logs {state.run_id} --follow"


def _age(since: datetime) -> str:
    from phase2.cluster.request.resources import format_duration

    return format_duration(max(0, round((datetime.now(UTC) - since).total_seconds())))
