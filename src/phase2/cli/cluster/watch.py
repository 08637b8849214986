"""Following a submitted run on the command line (``--watch``), and its state as JSON and exit code."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from phase2.cli.console import echo, note
from phase2.cli.store import print_json

if TYPE_CHECKING:
    from phase2.cluster.api.client import RunClient
    from phase2.cluster.run_state import RunState

_CANCELLED = 143


def watch_run(client: RunClient, name: str, *, as_json: bool) -> None:
    """Print the log of a run, and its state on standard error; exits with the exit code of the run."""
    from phase2.cluster.follow import Follower

    try:
        state = Follower(client, name, on_state=note, on_line=note if as_json else echo).follow()
    except KeyboardInterrupt:
        note("no longer watching; the run continues")
        raise
    if as_json:
        print_json(state_facts(state))
    raise typer.Exit(exit_code(state))


def exit_code(state: RunState) -> int:
    """Return the exit code for the state of an ended run."""
    if state.state == "succeeded":
        return 0
    return state.exit_code or (_CANCELLED if state.state == "cancelled" else 1)


def state_facts(state: RunState) -> dict[str, Any]:
    """Return a state as JSON, whose keys are stable: ``message`` is called ``sentence`` there."""
    times = {"created": state.created.isoformat(), "ended": state.ended.isoformat() if state.ended else None}
    return {"sentence" if name == "message" else name: value for name, value in (asdict(state) | times).items()}
