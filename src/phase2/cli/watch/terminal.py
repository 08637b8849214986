"""The terminal that runs are watched on: what it can draw, and characters in place of those that it lacks."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console

_STAND_INS = dict(zip("━─▁▂▃▄▅▆▇█▸↑↓·…", "=-_.:-+*%#>^v-~", strict=True))


def terminal_console() -> Console:
    """Return the console of standard output, which draws with ASCII what its encoding lacks."""
    from rich.console import Console

    console = Console()
    lacking = {ord(sign): plain for sign, plain in _STAND_INS.items() if not _has(console.encoding, sign)}
    return Console(file=cast("TextIO", _Drawing(sys.stdout, lacking))) if lacking else console


def can_draw(console: Console) -> bool:
    """Return whether a screen can be drawn: on a terminal whose cursor can be moved."""
    return console.is_terminal and not console.is_dumb_terminal


def _has(encoding: str, sign: str) -> bool:
    try:
        sign.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class _Drawing(io.TextIOBase):
    """Standard output with signs replaced, one character for one, so that nothing moves."""

    def __init__(self, stream: TextIO, signs: dict[int, str]) -> None:
        self._stream, self._signs = stream, signs

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def write(self, text: str) -> int:
        return self._stream.write(text.translate(self._signs))

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()
