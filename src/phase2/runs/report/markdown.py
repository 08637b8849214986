"""Markdown for the pages of a run: tables, lists, numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, numeric: int = 0) -> str:
    """Write a Markdown table; its last ``numeric`` columns are right-aligned."""
    rule = ["---"] * (len(columns) - numeric) + ["---:"] * numeric
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in (columns, rule, *rows))


def bullets(lines: Iterable[str], *, none: str = "none") -> str:
    """Write a Markdown list."""
    return "\n".join(f"- {line}" for line in lines) or f"- {none}"


def paragraph(text: str) -> str:
    """Set a text apart from what follows it; nothing for an empty one."""
    return f"\n{text}\n" if text else ""


def number(value: float | None) -> str:
    """Format a number with three significant digits; None as a dash."""
    return "-" if value is None else f"{value:.3g}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
