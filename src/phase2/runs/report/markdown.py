"""Markdown for the pages of a run: tables, lists, numbers. Cells and lines are escaped, but for ``Markup``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from phase2.output.markdown_text import markdown_cell, markdown_text


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, numeric: int = 0) -> str:
    """Write a Markdown table; its last ``numeric`` columns are right-aligned."""
    rule = ["---"] * (len(columns) - numeric) + ["---:"] * numeric
    lines = [list(map(markdown_cell, row)) for row in (columns, *rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def bullets(lines: Iterable[str], *, none: str = "none") -> str:
    """Write a Markdown list."""
    return "\n".join(f"- {markdown_text(line)}" for line in lines) or f"- {none}"


def paragraph(text: str) -> str:
    """Set a text apart from what follows it; nothing for an empty one."""
    return f"\n{text}\n" if text else ""


def number(value: float | None) -> str:
    """Format a number with three significant digits; None as a dash."""
    return "-" if value is None else f"{value:.3g}"
