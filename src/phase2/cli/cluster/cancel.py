"""``phase2 cancel``: stop a submitted run."""

from __future__ import annotations

from phase2.cli.cluster.options import ContextOption, NamespaceOption, RunArgument, connected, namespace_of
from phase2.cli.console import confirm, echo, note
from phase2.cli.store import JsonOption, YesOption, print_json


def cancel(
    run: RunArgument,
    yes: YesOption = False,  # noqa: FBT002
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Stop a run; it saves a checkpoint first, so that it can be resumed."""
    cluster = connected(context, namespace_of(context, namespace))
    found = cluster.find(run)
    state, client = cluster.state(found), cluster.client(found.backend.name)
    outcome = f"it {state.state} already"
    if not state.has_ended:
        confirm(f"Cancel the run {state.run_id}, which {state.message}?", action="cancelled", yes=yes)
        if state.state == "queued":  # nothing has started yet that could save
            client.delete(state.name)
        else:
            client.stop(state.name)
        outcome = "cancelled"
    if as_json:
        print_json({"run": state.run_id, "kind": state.kind, "name": state.name, "outcome": outcome})
        return
    if state.has_ended:
        note(f"{state.run_id}: {outcome}")
        return
    echo(f"cancelled {state.run_id}: its pod saves a checkpoint and ends")
    echo(f"resume it later: {state.resume_command}")
