"""Table of the states of runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from phase2.cli.console import make_table, print_made_table

if TYPE_CHECKING:
    from rich.table import Table

    from phase2.cluster.run_state import RunState

_COLUMNS = ("run", "algorithm", "mode", "state", "age", "what it does")


def print_states(states: Sequence[RunState], *, shows_namespace: bool) -> None:
    """Print a table of runs.

    Args:
        states: Their states.
        shows_namespace: Whether to add a column for the namespace.
    """
    print_made_table(states_table(states, shows_namespace=shows_namespace))


def states_table(states: Sequence[RunState], *, shows_namespace: bool) -> Table:
    """Return a table of runs; the arguments are those of :func:`print_states`."""
    rows = [
        (state.run_id, state.algorithm, state.mode, state.state, age(state.created), state.message) for state in states
    ]
    if shows_namespace:
        named = [(state.namespace, *row) for state, row in zip(states, rows, strict=True)]
        return make_table("", ("namespace", *_COLUMNS), named, numeric=("age",))
    return make_table("", _COLUMNS, rows, numeric=("age",))


def age(since: datetime) -> str:
    """Return the time since a submission in words."""
    from phase2.cluster.request.resources import format_duration

    return format_duration(max(0, round((datetime.now(UTC) - since).total_seconds())))


def where(namespace: str) -> str:
    """Return a namespace in words, or all of them, to follow "no run"."""
    return f"in the namespace {namespace}" if namespace else "in any namespace"
