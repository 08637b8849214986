r"""Formulas in TeX become drawings in the page: no script, no font and no address is needed to read them.

GitHub shows the same text, ``$x$`` in a line and a block fenced as ``math``, by its own means. What matplotlib's
mathtext knows of TeX can be used: fractions, sums, Greek letters, accents, ``\mathrm``; no environments.
"""

from __future__ import annotations

import functools
import html
from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element, fromstring

from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor

_POINTS = 12.0
"""Size of the letters of a drawing, which the page scales to its own."""


class FormulaExtension(Extension):  # type: ignore[misc]
    """Extension of Python-Markdown for formulas in a line."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 # the name is Markdown's
        """Look for formulas after code, and before anything else."""
        md.inlinePatterns.register(_Inline(r"(?<![\\$\w])\$(?!\s)([^$\n]+?)(?<!\s)\$(?![\w$])", md), "formula", 185)


def makeExtension(**options: Any) -> FormulaExtension:  # noqa: N802 # the name is Markdown's
    """Return the extension, as Python-Markdown asks for it."""
    return FormulaExtension(**options)


def fence(source: str, _language: str, css_class: str, *_: Any, **__: Any) -> str:
    """Return a block of formulas, one a line, as superfences asks for it."""
    large = source.replace(r"\frac", r"\dfrac")
    lines = (drawing(line.strip()) for line in large.splitlines() if line.strip())
    return f'<div class="{css_class}">{"".join(f"<p>{line}</p>" for line in lines)}</div>'


class _Inline(InlineProcessor):  # type: ignore[misc]
    def handleMatch(self, m: Any, _data: str) -> tuple[Element, int, int]:  # noqa: N802
        return fromstring(drawing(m[1])), m.start(0), m.end(0)


@functools.cache
def drawing(tex: str) -> str:
    r"""Return a formula as an SVG element that stands on the line and has the colour of the text.

    >>> drawing(r"\alpha")[:40]
    '<svg class="formula" role="img" aria-lab'

    Raises:
        ValueError: The formula has what mathtext does not know.
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import MathTextParser
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=_POINTS, math_fontfamily="stix")
    width, height, depth, *_ = MathTextParser("path").parse(f"${tex}$", dpi=72, prop=font)
    vertices, codes = text_to_path.get_text_path(font, f"${tex}$", ismath=True)
    scale = _POINTS / text_to_path.FONT_SCALE
    path = _path_data([(x * scale, -y * scale) for x, y in vertices], list(codes))
    box = f"0 {-height + depth:.2f} {width:.2f} {height:.2f}"
    size = f"width:{width / _POINTS:.3f}em;height:{height / _POINTS:.3f}em;vertical-align:{-depth / _POINTS:.3f}em"
    name = html.escape(tex, quote=True)
    return (
        f'<svg class="formula" role="img" aria-label="{name}" viewBox="{box}" style="{size}">'
        f'<path fill="currentColor" d="{path}"/></svg>'
    )


def _path_data(vertices: Sequence[tuple[float, float]], codes: Sequence[int]) -> str:
    """Vertices and codes of matplotlib as the path of an SVG."""
    letters = {1: ("M", 1), 2: ("L", 1), 3: ("Q", 2), 4: ("C", 3), 79: ("Z", 1)}
    parts, at = [], 0
    while at < len(codes):
        letter, count = letters[int(codes[at])]
        points = "" if letter == "Z" else " ".join(f"{x:.2f} {y:.2f}" for x, y in vertices[at : at + count])
        parts.append(letter + points)
        at += count
    return "".join(parts)
