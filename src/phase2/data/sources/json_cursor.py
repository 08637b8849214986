"""Decoding JSON values from a stream, with the position of every error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO

from phase2.data.sources.compressed_text import READ_ERRORS, unreadable
from phase2.errors import DataError

CHUNK = 1 << 20

_DECODER = json.JSONDecoder()

# A token that is truncated by the end of the window is reported at its start, at most this far from the end.
_LONGEST_WORD = len("-Infinity")

# A number truncated before its exponent decodes as a shorter number, and leaves this much behind.
_LONGEST_NUMBER_REST = "e+"


class JsonCursor:
    """Position in a stream of JSON text, with a window of the text that follows it.

    Args:
        stream: The text.
        path: The file, for error messages.
    """

    def __init__(self, stream: TextIO, path: Path) -> None:
        self._stream = stream
        self._path = path
        self._window = ""
        self._position = 0
        self._ended = False
        self._line = 1  # of the window's start
        self._column = 1

    @property
    def line(self) -> int:
        """Line of the position, counted from 1."""
        return self._line + self._window.count("\n", 0, self._position)

    def peek(self) -> str:
        """Skip white space and return the next character, "" at the end."""
        while True:
            while self._position < len(self._window):
                if not self._window[self._position].isspace():
                    return self._window[self._position]
                self._position += 1
            if self._ended:
                return ""
            self._grow()

    def take(self, character: str) -> None:
        """Consume the next character.

        Raises:
            DataError: It is another one.
        """
        if self.peek() != character:
            raise self.error(f"'{character}' was expected")
        self._position += 1

    def value(self) -> object:
        """Decode and consume the value at the position.

        Raises:
            DataError: It is no valid JSON, or the file cannot be read.
        """
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._window, self._position)
            except (ValueError, RecursionError) as error:
                if self._ended or not self._is_truncated(error):
                    raise self.error(getattr(error, "msg", str(error)), getattr(error, "pos", None)) from error
            else:
                if end + len(_LONGEST_NUMBER_REST) < len(self._window) or self._ended:
                    self._position = end
                    return value
            self._grow()

    def error(self, reason: str, position: int | None = None) -> DataError:
        """Build the error for a position of the window, by default the current one."""
        at = self._position if position is None else position
        before = self._window[:at]
        line = self._line + before.count("\n")
        column = at - before.rfind("\n") if "\n" in before else self._column + at
        return DataError(
            f"{self._path} is no valid JSON at line {line}, column {column}:",
            why=f"{reason}.",
            fix="Write the file again, or fetch it again if it was cut off.",
        )

    def _is_truncated(self, error: ValueError | RecursionError) -> bool:
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.msg.startswith("Unterminated string") or error.pos >= len(self._window) - _LONGEST_WORD

    def _grow(self) -> None:
        before, after = self._window[: self._position], self._window[self._position :]
        newlines = before.count("\n")
        self._line += newlines
        self._column = len(before) - before.rfind("\n") if newlines else self._column + len(before)
        # Doubling: a long value is decoded a few times only.
        try:
            new = self._stream.read(max(CHUNK, len(after)))
        except READ_ERRORS as error:
            raise unreadable(self._path, error) from error
        self._ended = not new
        self._window, self._position = after + new, 0
