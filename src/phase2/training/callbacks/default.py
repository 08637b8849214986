"""The callbacks that fit where the output goes."""

from __future__ import annotations

import sys

from phase2.config.settings import progress_file
from phase2.training.callbacks.base import Callback
from phase2.training.callbacks.log_lines import JsonLines, ProgressFile
from phase2.training.callbacks.notebook import NotebookBar, in_notebook
from phase2.training.callbacks.terminal import TerminalBar


def default_callbacks() -> list[Callback]:
    """Choose by environment: a bar in a terminal or a notebook, lines of JSON in a log, a file for Argo."""
    path = progress_file()
    callbacks: list[Callback] = [ProgressFile(path)] if path else []
    if in_notebook():
        return [*callbacks, NotebookBar()]
    if sys.stderr.isatty():
        callbacks.append(TerminalBar())
    if not sys.stdout.isatty():
        callbacks.append(JsonLines())
    return callbacks
