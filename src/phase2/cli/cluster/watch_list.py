"""``phase2 status --watch``: the list of runs, kept up to date."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from phase2.cli.cluster.status_table import list_states, where
from phase2.cli.cluster.watch import state_facts
from phase2.cli.console import echo, note
from phase2.errors import TransientError

if TYPE_CHECKING:
    from phase2.cluster.namespace import Cluster
    from phase2.cluster.run_state import RunState

# The list is read again rather than watched: what is deleted, or hidden by lost connections, cannot stay in it.
_POLL_SECONDS = 2.0
_PATIENCE_SECONDS = 300.0


def watch_list(cluster: Cluster, *, as_json: bool) -> None:
    """Show the runs until Ctrl-C: a table that is redrawn, or without a terminal a line for each change.

    Args:
        cluster: The namespace, or all of them.
        as_json: Print each change as a line of JSON.

    Raises:
        ForbiddenError: The runs may not be listed.
        TransientError: The cluster has not answered for minutes.
    """
    from rich.console import Console

    console, snapshots = Console(), _snapshots(cluster)
    shows_namespace = not cluster.namespace
    if as_json:
        _print_changes(snapshots, partial(_json_line, is_listed=True), partial(_json_line, is_listed=False))
        return
    if not console.is_terminal:
        line = partial(_run_line, shows_namespace=shows_namespace)
        _print_changes(
            snapshots,
            lambda state: line(state, f"{state.state}: {state.message}"),
            lambda state: line(state, "is no longer listed"),
        )
        return
    from rich.live import Live
    from rich.text import Text

    with Live(console=console, auto_refresh=False) as live:
        for states in snapshots:
            shown = list_states(states, shows_namespace=shows_namespace, width=console.width)
            live.update(shown if states else Text(f"no run {where(cluster.namespace)}"), refresh=True)


def changed_states(before: Sequence[RunState], after: Sequence[RunState]) -> list[RunState]:
    """Return the states that are new or say something else, the oldest run first.

    The message of a running run changes with the time; only another step or attempt of it is a change.
    """
    known = {_key(state): _content(state) for state in before}
    return [state for state in reversed(after) if known.get(_key(state)) != _content(state)]


def gone_runs(before: Sequence[RunState], after: Sequence[RunState]) -> list[RunState]:
    """Return the last states of the runs that are no longer listed."""
    left = {_key(state) for state in after}
    return [state for state in before if _key(state) not in left]


def _key(state: RunState) -> tuple[str, str]:
    return state.namespace, state.run_id


def _content(state: RunState) -> tuple[object, ...]:
    if state.state == "running":
        return state.kind, state.name, state.state, state.step, state.attempt
    return state.kind, state.name, state.state, state.message


def _snapshots(cluster: Cluster) -> Iterator[list[RunState]]:
    """Yield the states of all runs every few seconds; a cluster that does not answer is asked again for minutes."""
    from phase2.cluster.watch.progress import ProgressReader

    progress = ProgressReader(cluster)
    broken_since: float | None = None
    while True:
        try:
            states = progress.complete(cluster.states())
        except TransientError as error:
            broken_since = broken_since or time.monotonic()
            if time.monotonic() - broken_since > _PATIENCE_SECONDS:
                raise
            note(f"the cluster does not answer: {error.why or error.what}")
        else:
            broken_since = None
            yield states
        time.sleep(_POLL_SECONDS)


def _print_changes(
    snapshots: Iterator[list[RunState]], changed: Callable[[RunState], str], gone: Callable[[RunState], str]
) -> None:
    before: list[RunState] = []
    for states in snapshots:
        lines = [gone(state) for state in gone_runs(before, states)]
        lines += [changed(state) for state in changed_states(before, states)]
        for line in lines:
            echo(line)
        before = states


def _run_line(state: RunState, text: str, *, shows_namespace: bool) -> str:
    now = datetime.now().astimezone().strftime("%H:%M:%S")
    return f"{now} {f'{state.namespace}/' if shows_namespace else ''}{state.run_id} {text}"


def _json_line(state: RunState, *, is_listed: bool) -> str:
    return json.dumps(state_facts(state) | {"listed": is_listed})
