"""Options with one value that a command line gives several times: the last counts, and the user is told."""

from __future__ import annotations

from collections import Counter
from typing import Any

from phase2.cli.console import note
from phase2.output.secrets import without_secrets


def note_repetition(command: Any) -> None:
    """Have a command, and those below it, say which value counts of an option that is given several times."""
    below = getattr(command, "commands", None)
    if below is not None:
        for inner in below.values():
            note_repetition(inner)
        return
    parse = command.parse_args

    def parse_args(context: Any, args: list[str]) -> Any:
        rest = parse(context, list(args))
        if not context.resilient_parsing:  # as completion by the shell parses
            _note(command, context, args)
        return rest

    command.parse_args = parse_args


def _note(command: Any, context: Any, args: list[str]) -> None:
    _, _, order = command.make_parser(context).parse_args(args=list(args))
    for parameter, times in Counter(order).items():
        if times > 1 and parameter.param_type_name == "option" and not (parameter.multiple or parameter.is_flag):
            value = context.params.get(parameter.name)
            note(without_secrets(f"note: {parameter.opts[0]} is given {times} times; the last counts: {value}"))
