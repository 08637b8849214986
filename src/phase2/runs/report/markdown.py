"""Markdown for the pages of a run: tables, lists, numbers. Cells and lines are escaped, but for ``Markup``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from phase2.output.markdown_text import markdown_cell, markdown_text


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, numeric: int = 0) -> str:
    """Write a Markdown table; its last ``numeric`` columns are right-aligned."""
    return markup_table(list(map(markdown_cell, columns)), [list(map(markdown_cell, row)) for row in rows], numeric)


def markup_table(columns: Sequence[str], rows: Iterable[Sequence[str]], numeric: int = 0) -> str:
    """Write a Markdown table whose cells are Markdown that phase2 wrote itself."""
    rule = ["---"] * (len(columns) - numeric) + ["---:"] * numeric
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in (columns, rule, *rows))


def bullets(lines: Iterable[str], *, none: str = "none") -> str:
    """Write a Markdown list."""
    return "\n".join(f"- {markdown_text(line)}" for line in lines) or f"- {none}"


def paragraph(text: str) -> str:
    """Set a text apart from what follows it; nothing for an empty one."""
    return f"\n{text}\n" if text else ""


def number(value: float | None) -> str:
    """Format a number with three significant digits; None as a dash."""
    return "-" if value is None else f"{value:.3g}"


def _cell(markup: str) -> str:
    """Keep a cell in its row."""
    return re.sub(r"(?<!\\)\|", r"\\|", markup).replace("\n", " ")
