"""Notes on a table, each said once however often the table is read."""

from __future__ import annotations

import logging
from pathlib import Path

_MOST = 10_000
_SAID: dict[tuple[str, int, str], None] = {}


def log_once(log: logging.Logger, table: Path, note: str) -> None:
    """Log a note on a table as a warning, unless this process has said it of the same content.

    Args:
        log: Logger of the module that says it.
        table: The table.
        note: The note.
    """
    try:
        changed = table.stat().st_mtime_ns
    except OSError:
        changed = 0
    key = (str(table), changed, note)
    if key in _SAID:
        return
    if len(_SAID) >= _MOST:
        _SAID.clear()
    _SAID[key] = None
    log.warning("%s: %s", table, note)
