"""Whether the command line understands a line of a page: commands and options that exist, with what they need."""

from __future__ import annotations

import functools
import re
import shlex
from typing import Any

import typer

_END = re.compile(r"\s(?:\||>|>>|&&|;|#|-)(?=\s).*| > .*")
_ASSIGNMENT = re.compile(r"\w+=\S*\s+")


def misunderstood(command: str) -> str | None:
    """Return what is wrong with a line that begins with ``phase2``, or None.

    Redirections, pipes, comments and assignments of variables around it are left aside, as are values: those belong to
    the request.

    >>> misunderstood("phase2 train --levle lite")
    "phase2 train: No such option: --levle"
    """
    text = _END.sub("", command)
    while found := _ASSIGNMENT.match(text):
        text = text[found.end() :]
    words = [word for word in shlex.split(text) if word != "..."]
    return _parse(_root(), words[:1], words[1:])


@functools.cache
def _root() -> Any:
    from phase2.cli.app import app

    return typer.main.get_command(app)


def _parse(command: Any, path: list[str], words: list[str]) -> str | None:
    children = getattr(command, "commands", {})
    while children and words and not words[0].startswith("-"):
        if words[0] not in children:
            return f"{' '.join(path)}: there is no command '{words[0]}'"
        command, path, words = children[words[0]], [*path, words[0]], words[1:]
        children = getattr(command, "commands", {})
    context = typer.Context(command, info_name=" ".join(path))
    try:
        _, left, _ = command.make_parser(context).parse_args(list(words))
    except typer.TyperException as error:
        return f"{' '.join(path)}: {error.format_message()}"
    return f"{' '.join(path)}: one argument too many: {left[0]}" if left else None
