"""Progress of a long operation, reported to a callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

ProgressCallback: TypeAlias = Callable[[int, int | None], None]
"""Callback receiving (done, total or None): items or bytes finished so far, and their number where it is known."""
