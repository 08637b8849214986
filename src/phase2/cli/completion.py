"""``phase2 completion``: completion of commands, options and their values by the shell."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from phase2.cli.console import echo_text
from phase2.config.levels import ALGORITHMS
from phase2.errors import UnknownNameError

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_PHASE2_COMPLETE"
"""Environment variable by which the script of a shell asks for completions."""


def completion(
    shell: Annotated[
        str,
        typer.Argument(metavar="SHELL", help=f"{', '.join(SHELLS)}.", autocompletion=one_of(SHELLS)),
    ],
) -> None:
    """Print the script by which a shell completes commands, options, settings and runs.

    For bash and zsh: source <(phase2 completion bash)
    """
    if shell not in SHELLS:
        raise UnknownNameError.of("shell", shell, SHELLS)
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    script = get_completion_script(prog_name="phase2", complete_var=VARIABLE, shell=shell)
    echo_text(f"{script}\n")


def answers(app: typer.Typer) -> int | None:
    """Answer the script of a shell, and return the exit code; None where no script asks."""
    if VARIABLE not in os.environ:
        return None
    from typer.completion import completion_init  # type: ignore[attr-defined]
    from typer.main import get_command

    completion_init()
    try:
        get_command(app)(args=[], prog_name="phase2")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 1


def one_of(words: Sequence[str]) -> Callable[[str], list[str]]:
    """Return what completes one of some words."""
    return lambda incomplete: [word for word in words if word.startswith(incomplete)]


def several_of(words: Sequence[str]) -> Callable[[str], list[str]]:
    """Return what completes words separated by commas; each comes once."""

    def complete(incomplete: str) -> list[str]:
        *before, last = incomplete.split(",")
        start = "".join(f"{word}," for word in before)
        return [f"{start}{word}" for word in words if word.startswith(last) and word not in before]

    return complete


def setting_paths(incomplete: str) -> list[str]:
    """Complete the paths of settings, of every algorithm."""
    from phase2.config.paths import settings_of_algorithm

    known = {path for algorithm in ALGORITHMS for path in settings_of_algorithm(algorithm)}
    return sorted(f"{path}=" for path in known if path.startswith(incomplete))
