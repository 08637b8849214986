"""Command lines that no command takes: the right place of an option, and the page of help to read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from phase2.errors import RequestError

_NAMED = 3
"""Most commands that are named for an option."""


def explain_usage(error: typer.TyperException) -> RequestError:
    """Return the error that a user reads of a command line that typer refuses.

    An option that only other commands have is one in the wrong place: the first of them are named.
    """
    context = getattr(error, "ctx", None)
    if context is None:
        return RequestError(error.format_message(), fix="Add --help to see what the command takes.")
    own_help = f"'{context.command_path} --help'"
    option = getattr(error, "option_name", None)
    having: list[str] = []
    if option is not None and hasattr(error, "possibilities"):  # no such option, not one without its argument
        root = context.find_root()
        having = list(_having(option, root.command, root.command_path))
    if not having:
        return RequestError(error.format_message(), fix=f"{own_help} shows what the command takes.")
    named = ", ".join(f"'{command}'" for command in having[:_NAMED])
    more = f" and {len(having) - _NAMED} more" if len(having) > _NAMED else ""
    return RequestError(
        f"'{context.command_path}' has no option {option}.",
        why=f"It is an option of {named}{more}.",
        fix=f"Write it behind a command that has it, or see {own_help}.",
    )


def _having(option: str, command: Any, path: str) -> Iterator[str]:
    """Name the commands that have an option, in the order of the help page."""
    if any(option in (*parameter.opts, *parameter.secondary_opts) for parameter in command.params):
        yield path
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from _having(option, inner, f"{path} {name}")
