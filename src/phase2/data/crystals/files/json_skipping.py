"""Finding the end of a JSON value without decoding it, however long or nested it is."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

_END_OF_WORD = re.compile(r"[\s,\]}]")
_QUOTE = ord('"')
_SLICE = 1 << 17  # characters at a time, whose arrays fit into the processor's cache
_NESTING = np.zeros(256, dtype=np.int8)
_NESTING[[ord("["), ord("{")]] = 1
_NESTING[[ord("]"), ord("}")]] = -1


class ValueEnd:
    """Search for the end of one value, through consecutive windows of its text.

    Args:
        first: First character of the value.
    """

    def __init__(self, first: str) -> None:
        self._word = first not in '"[{'
        self._depth = 0
        self._in_string = False
        self._escaped = False  # the last window ended within an escape

    def find(self, text: str, start: int) -> int | None:
        """Return the position after the value, or None if it does not end in this window.

        Args:
            text: The next window of the text.
            start: Position in it from which the value goes on.
        """
        if self._word:
            found = _END_OF_WORD.search(text, start)
            return None if found is None else found.start()
        for at in range(start, len(text), _SLICE):
            end = self._find_in(text[at : at + _SLICE])
            if end is not None:
                return at + end
        return None

    def _find_in(self, text: str) -> int | None:
        if self._in_string and not self._escaped and '"' not in text and "\\" not in text:
            return None
        return self._end(self._plain(text))

    def _plain(self, text: str) -> NDArray[np.uint8]:
        """Return one byte per character, escaped quotes and backslashes replaced by letters."""
        if self._escaped:
            text = "x" + text[1:]
        text = text.replace("\\\\", "xx").replace('\\"', "xx")
        self._escaped = text.endswith("\\")
        return np.frombuffer(text.encode("latin-1", "replace"), dtype=np.uint8)

    def _end(self, codes: NDArray[np.uint8]) -> int | None:
        quote = codes == _QUOTE
        inside = (np.cumsum(quote, dtype=np.int32) + self._in_string) % 2 == 1
        change = np.where(inside, 0, _NESTING[codes])
        depth = np.cumsum(change, dtype=np.int32) + self._depth
        closing = (depth == 0) & ((change < 0) | (quote & ~inside))
        if closing.any():
            return int(np.argmax(closing)) + 1
        if len(codes):
            self._in_string, self._depth = bool(inside[-1]), int(depth[-1])
        return None
