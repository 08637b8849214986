"""What the library logs about the run it chose, as a note of the command that runs."""

from __future__ import annotations

import logging

from phase2.cli.console import note

_CHOICES = "phase2.runs.catalog.lookup"


class _NoteHandler(logging.Handler):
    """Handler that prints messages as notes."""

    def emit(self, record: logging.LogRecord) -> None:
        note(record.getMessage())


def show_choices() -> None:
    """Print from now on which run ``best``, ``latest`` or no name stands for, and what it was compared with."""
    log = logging.getLogger(_CHOICES)
    if not any(isinstance(handler, _NoteHandler) for handler in log.handlers):
        log.addHandler(_NoteHandler())
        log.setLevel(logging.INFO)
