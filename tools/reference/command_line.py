"""The page of the command line: the help of every command."""

from collections.abc import Iterator
from typing import Any

import typer

from phase2.cli.app import app
from phase2.cli.process.boundary import HELP_OPTIONS


def cli_page() -> str:
    """Return the page: the help of every command."""
    root = typer.main.get_command(app)
    parts = ["# Command line\n"]
    for path, command in _commands(root, ("phase2",)):
        parts.append(f"## {' '.join(path)}\n\n```\n{_help(path, command)}\n```\n")
    return "\n".join(parts)


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from _commands(child, (*path, name))


def _help(path: tuple[str, ...], command: Any) -> str:
    context = typer.Context(
        command,
        info_name=" ".join(path),
        terminal_width=100,
        max_content_width=100,
        help_option_names=list(HELP_OPTIONS),
    )
    return str(command.get_help(context)).rstrip()
