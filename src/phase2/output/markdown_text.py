"""Text in Markdown: nothing in it is markup, a link, an image or HTML."""

from __future__ import annotations

import re

from phase2.output.visible import line

LONGEST = 2000

_MARKUP = re.compile(r"([\\`*<>|&~$]|\](?=[(\[:])|\[(?=\^))")
_EMPHASIS = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_BEGIN = re.compile(r"^\s*([#+=-]|\d+[.)])")
_AUTOLINK = re.compile(r"(?i)(://|\bwww\.|@)")


class Markup(str):
    """Markdown that phase2 wrote itself; it is not escaped again."""

    __slots__ = ()


def markdown_text(text: str) -> str:
    """Escape a text for a paragraph or a list; what is ``Markup`` already stays as it is."""
    shown = markdown_cell(text)
    return shown if isinstance(text, Markup) else _BEGIN.sub(lambda found: found[0][:-1] + "\\" + found[0][-1], shown)


def markdown_cell(text: str) -> str:
    r"""Escape a text for the cell of a table, where no list and no heading can begin; ``Markup`` stays as it is.

    Example:
        >>> print(markdown_cell("<img src=x> a|b ![x](y) formation_energy"))
        \<img src=x\> a\|b ![x\](y) formation_energy
    """
    if isinstance(text, Markup):
        return text
    shown = _MARKUP.sub(r"\\\1", line(text, LONGEST))
    shown = _EMPHASIS.sub(r"\\_", shown)
    return _AUTOLINK.sub(lambda found: found[0].replace(":", "\\:").replace(".", "\\.").replace("@", "&#64;"), shown)


def code(text: str) -> Markup:
    """Return a text as a code span, with as long a fence as it needs."""
    shown = line(text, LONGEST)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    space = " " if "`" in shown else ""
    return Markup(f"{fence}{space}{shown}{space}{fence}")


def code_line(text: str) -> str:
    """Return a text as one line of a fenced block, which it cannot leave."""
    return line(text)
