"""``phase2 tune delete``: a study, and its runs where that is asked for."""

from __future__ import annotations

from typing import Annotated

import typer

from phase2.cli.console import confirm, echo, note
from phase2.cli.store import JsonOption, StoreOption, YesOption, open_existing_store, print_json
from phase2.output.wording import counted

RunsOption = Annotated[bool, typer.Option("--runs", help="Delete the runs of its trials, too.")]


def delete(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the study.")],
    store: StoreOption = None,
    runs: RunsOption = False,  # noqa: FBT002
    yes: YesOption = False,  # noqa: FBT002
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Delete a study from a store; its runs stay unless --runs is given."""
    from phase2.runs.publish import deletion
    from phase2.tuning.deletion import check_deletable, delete_study, runs_of_study

    place = open_existing_store(store)
    check_deletable(place, name)
    found = runs_of_study(place, name)
    chosen = found if runs else []
    for prefix in chosen:
        deletion.check_deletable(place, prefix)
    also = f" and {counted(len(chosen), 'run')}" if chosen else ""
    confirm(f"Remove the study {name}{also} from {place.url}?", action="removed", yes=yes)
    for prefix in chosen:
        deletion.delete_run(place, prefix)
    files = delete_study(place, name)
    if as_json:
        print_json({"study": name, "removed": chosen})
        return
    for prefix in chosen:
        echo(f"removed {prefix}")
    echo(f"removed the study {name}: {counted(files, 'file')}")
    if found and not runs:
        note(
            f"its {counted(len(found), 'run')} stay, and a new study of this name would find them: 'phase2 runs delete'"
        )
