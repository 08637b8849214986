"""``phase2 status``: what became of submitted runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.cluster_options import ContextOption, NamespaceOption, connected, namespace_of
from phase2.cli.console import note, print_table
from phase2.cli.store import JsonOption, print_json

if TYPE_CHECKING:
    from phase2.cluster.client import JobClient
    from phase2.cluster.status import RunState


def status(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="Run id, name of its Job, or a unique beginning; all without it."),
    ] = None,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Say what submitted runs are doing, and what is wrong with those that are not."""
    from phase2.cli.watching import state_facts

    client = connected(context, namespace_of(context, namespace))
    if run is None:
        _print_all(client, as_json=as_json)
        return
    state = state_of(client, run)
    if as_json:
        print_json(state_facts(state))
        return
    typer.echo(f"{state.run_id} {state.state}: {state.sentence}")
    for name, value in _details(state):
        typer.echo(f"  {name:<8} {value}")


def state_of(client: JobClient, run: str) -> RunState:
    """The state of one run."""
    from phase2.cluster.api_objects import name_of
    from phase2.cluster.lookup import find_job
    from phase2.cluster.status import run_state

    job = find_job(client.jobs(), run)
    return run_state(job, client.pods(name_of(job)), client.events())


def _print_all(client: JobClient, *, as_json: bool) -> None:
    from phase2.cli.watching import state_facts

    states = list(_states(client))
    if as_json:
        print_json([state_facts(state) for state in states])
        return
    if not states:
        note(f"no run in the namespace {client.namespace}")
        return
    rows = [
        (state.run_id, state.algorithm, state.mode, state.state, _age(state.created), state.sentence)
        for state in states
    ]
    print_table("", ("run", "algorithm", "mode", "state", "age", "what it does"), rows, numeric=("age",))


def _states(client: JobClient) -> Iterator[RunState]:
    """The states of all runs, the newest first."""
    from phase2.cluster.api_objects import name_of, newest_first
    from phase2.cluster.client import JOB_OF_POD
    from phase2.cluster.status import run_state

    jobs = client.jobs()
    pods = defaultdict(list)
    for pod in client.pods() if jobs else ():
        pods[pod["metadata"]["labels"].get(JOB_OF_POD)].append(pod)
    events = client.events() if jobs else []
    for job in newest_first(jobs):
        yield run_state(job, pods[name_of(job)], events)


def _details(state: RunState) -> Iterator[tuple[str, str]]:
    yield "command", state.command
    yield "age", _age(state.created)
    if state.pod:
        yield "pod", state.pod + (f" on {state.node}" if state.node else "")
    if state.state == "succeeded":
        yield "next", f"phase2 runs show {state.run_id}, phase2 pull {state.run_id}"
    elif state.state in {"failed", "cancelled"}:
        yield "next", f"phase2 logs {state.run_id}; to go on: phase2 submit --resume {state.run_id}"
    elif state.pod:
        yield "next", f"phase2 logs {state.run_id} --follow"


def _age(since: datetime) -> str:
    from phase2.cluster.cluster_request import human_duration

    return human_duration(max(0, round((datetime.now(UTC) - since).total_seconds())))
