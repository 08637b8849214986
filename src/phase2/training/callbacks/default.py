"""The callbacks that fit where the output goes."""

from __future__ import annotations

import sys

from phase2.config.settings import LogFormat, is_in_pod, log_format, progress_file
from phase2.training.callbacks.argo_progress import ArgoProgress
from phase2.training.callbacks.base import Callback
from phase2.training.callbacks.log_lines import JsonLines
from phase2.training.callbacks.notebook import NotebookBar, in_notebook
from phase2.training.callbacks.terminal import TerminalBar
from phase2.training.callbacks.text_lines import TextLines


def default_callbacks(lines: LogFormat | None = None) -> list[Callback]:
    """Choose by environment: a bar and a table on a terminal, a bar in a notebook, lines in a log, a file for Argo.

    Args:
        lines: Format of the lines on standard output; None takes ``$PHASE2_LOG_FORMAT``, or else text in a pod, whose
            log people read, and JSON where another program may read a pipe or a file.
    """
    path = progress_file()
    callbacks: list[Callback] = [ArgoProgress(path)] if path else []
    if in_notebook():
        return [*callbacks, NotebookBar()]
    chosen = lines or log_format()
    shows_out, shows_errors = sys.stdout.isatty(), sys.stderr.isatty()
    if chosen is None and shows_out and shows_errors:
        return [*callbacks, TerminalBar(with_lines=True)]
    if shows_errors and not shows_out:
        callbacks.append(TerminalBar())
    is_text = chosen == "text" if chosen else shows_out or is_in_pod()
    return [*callbacks, TextLines() if is_text else JsonLines()]
