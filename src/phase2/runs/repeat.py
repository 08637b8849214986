"""The command that repeats a run on another machine, with its data from a store."""

from __future__ import annotations

from phase2.runs.records.manifest import RunManifest

_DATA = "--data"


def portable_command(manifest: RunManifest) -> tuple[str, ...]:
    """Return the command of a run with the content of its data in place of a path, if the run knows it.

    Any machine that reads the store repeats the run by it, once the data are pushed.
    """
    command = manifest.command
    if manifest.data is None or not manifest.data.address or _DATA not in command:
        return command
    place = command.index(_DATA) + 1
    return (*command[:place], manifest.data.address, *command[place + 1 :])
