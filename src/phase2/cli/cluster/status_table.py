"""States of runs for a terminal: a table, or a paragraph for each run where the table would have no room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from phase2.cli.console import make_table, print_renderable, terminal_width
from phase2.output.secrets import without_secrets
from phase2.output.visible import line

if TYPE_CHECKING:
    from rich.console import RenderableType

    from phase2.cluster.run_state import RunState

_COLUMNS = ("run", "algorithm", "mode", "state", "age", "what it does")
_BETWEEN_COLUMNS = 3
_NARROWEST_MESSAGE = 28
"""Characters of a line that a message gets at least, unless it is shorter."""


def print_states(states: Sequence[RunState], *, shows_namespace: bool) -> None:
    """Print runs.

    Args:
        states: Their states.
        shows_namespace: Whether to name their namespaces.
    """
    print_renderable(list_states(states, shows_namespace=shows_namespace, width=terminal_width()))


def list_states(states: Sequence[RunState], *, shows_namespace: bool, width: int | None) -> RenderableType:
    """Return a list of runs that is a table where every cell but the messages has room on one line.

    Args:
        states: Their states.
        shows_namespace: Whether to name their namespaces.
        width: Characters of a line; None for enough.
    """
    headings = ("namespace", *_COLUMNS) if shows_namespace else _COLUMNS
    rows = [_cells(state)[0 if shows_namespace else 1 :] for state in states]
    if width is None or _has_room(headings, rows, width):
        return make_table("", headings, rows, numeric=("age",))
    from rich.console import Group

    return Group(*(each for state in states for each in _paragraph(state, shows_namespace=shows_namespace)))


def _cells(state: RunState) -> tuple[str, ...]:
    how_old = age(state.created)
    return (state.namespace, state.run_id, state.algorithm, state.mode, state.state, how_old, state.message)


def _has_room(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> bool:
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    widths[-1] = min(widths[-1], _NARROWEST_MESSAGE)
    return sum(widths) + _BETWEEN_COLUMNS * len(widths) <= width


def _paragraph(state: RunState, *, shows_namespace: bool) -> Iterator[RenderableType]:
    """Return the lines of a run: its id, whole, so that it can be copied; its state; what it is."""
    from rich.padding import Padding
    from rich.text import Text

    kind = " ".join(word for word in (state.algorithm, state.mode) if word != "-")
    place = f"in {state.namespace}" if shows_namespace else ""
    facts = ", ".join(filter(None, (kind, f"submitted {age(state.created)} ago", place)))
    yield Text(line(without_secrets(state.run_id)), style="bold")
    for text in (f"{state.state}: {state.message}", facts):
        yield Padding(Text(line(without_secrets(text))), (0, 0, 0, 2))


def age(since: datetime) -> str:
    """Return the time since a submission in words."""
    from phase2.cluster.request.resources import format_duration

    return format_duration(max(0, round((datetime.now(UTC) - since).total_seconds())))


def where(namespace: str) -> str:
    """Return a namespace in words, or all of them, to follow "no run"."""
    return f"in the namespace {namespace}" if namespace else "in any namespace"
