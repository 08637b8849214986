"""``phase2 status``: the state of submitted runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.cluster.options import ContextOption, NamespaceOption, connected, namespace_of, refuse_two_scopes
from phase2.cli.cluster.status_table import age, where
from phase2.cli.console import echo, note
from phase2.cli.store import JsonOption, print_json

if TYPE_CHECKING:
    from phase2.cluster.namespace import Cluster
    from phase2.cluster.run_state import RunState

AllNamespacesOption = Annotated[
    bool, typer.Option("--all-namespaces", "-A", help="List the runs of every namespace, with a column for it.")
]
WatchOption = Annotated[
    bool,
    typer.Option(
        "--watch",
        "-w",
        help="With RUN: follow it to its end, and exit with its exit code. Without: keep the list up to date, until "
        "Ctrl-C.",
    ),
]


def status(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]", help="Run id, name of its Job or Workflow, or a unique prefix; all without it."
        ),
    ] = None,
    namespace: NamespaceOption = None,
    all_namespaces: AllNamespacesOption = False,  # noqa: FBT002
    watch: WatchOption = False,  # noqa: FBT002
    context: ContextOption = None,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show the state of submitted runs, and what is wrong with those that do not run."""
    refuse_two_scopes(namespace, all_namespaces=all_namespaces)
    cluster = connected(context, "" if all_namespaces else namespace_of(context, namespace))
    if run is not None:
        _show_run(cluster, run, context, watch=watch, as_json=as_json)
    elif watch:
        from phase2.cli.cluster.watch_list import watch_list

        watch_list(cluster, as_json=as_json)
    else:
        _print_all(cluster, as_json=as_json)


def _show_run(cluster: Cluster, name: str, context: str | None, *, watch: bool, as_json: bool) -> None:
    from phase2.cli.cluster.watch import state_facts, watch_run
    from phase2.cluster.watch.progress import ProgressReader

    found = cluster.find(name)
    if watch:
        client = connected(context, found.namespace).client(found.backend.name)
        watch_run(client, found.name, as_json=as_json)
        return
    (state,) = ProgressReader(cluster).complete([cluster.state(found)])
    if as_json:
        print_json(state_facts(state))
        return
    echo(f"{state.run_id} {state.state}: {state.message}")
    for key, value in _details(state, shows_namespace=not cluster.namespace):
        echo(f"  {key:<9} {value}")


def _print_all(cluster: Cluster, *, as_json: bool) -> None:
    from phase2.cli.cluster.status_table import print_states
    from phase2.cli.cluster.watch import state_facts
    from phase2.cluster.watch.progress import ProgressReader

    states = ProgressReader(cluster).complete(cluster.states())
    if as_json:
        print_json([state_facts(state) for state in states])
    elif states:
        print_states(states, shows_namespace=not cluster.namespace)
    else:
        note(f"no run {where(cluster.namespace)}")


def _details(state: RunState, *, shows_namespace: bool) -> Iterator[tuple[str, str]]:
    from phase2.cluster.run_state import SWEEP

    option = f" -n {state.namespace}" if shows_namespace else ""
    if state.command:
        yield "command", state.command
    yield "age", age(state.created)
    if shows_namespace:
        yield "namespace", state.namespace
    yield state.kind.lower(), state.name
    if state.step:
        yield "step", state.step
    if state.pod:
        yield "pod", state.pod + (f" on {state.node}" if state.node else "")
    if state.state == "succeeded":
        shown = f"phase2 runs show {state.run_id}, phase2 pull {state.run_id}"
        yield "next", "phase2 runs list" if state.mode == SWEEP else shown
    elif state.state in {"failed", "cancelled"}:
        yield "next", f"phase2 logs {state.run_id}{option}; to resume: {state.resume_command}{option}"
    elif state.pod:
        yield "next", f"phase2 logs {state.run_id} --follow{option}"
