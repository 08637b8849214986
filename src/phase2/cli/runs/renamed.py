"""What ``phase2 runs list`` says of runs whose folders were renamed."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from phase2.cli.console import note

if TYPE_CHECKING:
    from phase2.storage.base import Store

_SHOWN = 5


def note_renamed(store: Store) -> None:
    """Name the folders that hold a run under another name, and the command that gives them their name back."""
    from phase2.output.wording import counted
    from phase2.runs.keys import folder_of
    from phase2.runs.renamed import renamed_runs

    found, root = renamed_runs(store), folder_of(store)
    if not found or root is None:
        return
    note(f"{counted(len(found), 'run')} not listed: a run is known by its folder, FAMILY/run_..., which was renamed")
    for run in found[:_SHOWN]:
        if run.prefix is None:
            note(f"  {run.folder}")
        elif (root / run.prefix).exists():
            note(f"  {run.folder}: a copy of {run.prefix}")
        else:
            note(f"  {shlex.join(['mv', str(run.folder), str(root / run.prefix)])}")
    if len(found) > _SHOWN:
        note(f"  and {len(found) - _SHOWN} more")
