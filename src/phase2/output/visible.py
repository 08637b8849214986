"""Text for a terminal, a log or a page: hidden characters become visible, and nothing acts on the terminal."""

from __future__ import annotations

import codecs
import io
import unicodedata
from collections.abc import Iterable
from typing import IO

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Categories of Unicode: control, format (text direction, zero width), surrogates, unassigned, separators of lines."""

_HANDLER = "phase2.escape"

LONGEST_LINE = 4000
LONGEST_CELL = 500


def visible(text: str, *, keep: str = "") -> str:
    r"""Write hidden characters as JSON does, such as ``\u001b``, which also keeps JSON what it is.

    Idempotent. A text that holds such an escape already cannot be told from one that held the character.

    Args:
        text: Any text.
        keep: Hidden characters to keep, such as the ends of lines.

    Example:
        >>> print(visible("a\x1b[31mb"))
        a\u001b[31mb
    """
    if text.isprintable():
        return text
    return "".join(_escaped(c) if c not in keep and unicodedata.category(c) in _HIDDEN else c for c in text)


def escape_unencodable(streams: Iterable[IO[str]]) -> None:
    """Let streams write what their encoding lacks as JSON does: a name must not end a command."""
    codecs.register_error(_HANDLER, _escape_error)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def visible_lines(text: str) -> str:
    """Write hidden characters of a text of several lines; ends of lines and tabs stay."""
    return visible(text, keep="\n\t")


def shorten(text: str, most: int) -> str:
    """Cut a text that is longer than ``most`` characters, and say how long it is.

    Example:
        >>> shorten("a" * 1000, 24)
        'aa... (1,000 characters)'
    """
    if len(text) <= most:
        return text
    end = f"... ({len(text):,} characters)"
    return text[: max(0, most - len(end))] + end


def line(text: str, most: int = LONGEST_LINE) -> str:
    """Return one line for a terminal: hidden characters visible, and cut where it is too long."""
    return shorten(visible(text), most)


def cell(text: str) -> str:
    """Return the cell of a table for a terminal."""
    return line(text, LONGEST_CELL)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[k] << 8 | units[k + 1]:04x}" for k in range(0, len(units), 2))


def _escape_error(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_escaped, error.object[error.start : error.end])), error.end
