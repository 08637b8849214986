"""Text in HTML, for notebooks."""

from __future__ import annotations

import html

from phase2.output.visible import cell


def html_text(text: str) -> str:
    """Return a text as HTML shows it: nothing in it is markup, hidden characters are visible, and it is cut."""
    return html.escape(cell(text))
