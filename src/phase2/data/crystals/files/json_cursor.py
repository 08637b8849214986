"""Decoding JSON values from a stream, with the position of every error."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.files.compressed import READ_ERRORS, unreadable
from phase2.data.crystals.files.json_skipping import ValueEnd
from phase2.data.crystals.formats.json_text import NESTED, BoundedDecoder
from phase2.data.crystals.shown import shown
from phase2.errors import DataError, LimitExceededError

CHUNK = 1 << 20

# A token that is truncated by the end of the window is reported at its start, at most this far from the end.
_LONGEST_WORD = len("-Infinity")

# A number truncated before its exponent decodes as a shorter number, and leaves this much behind.
_LONGEST_NUMBER_REST = "e+"

_VISIBLE = re.compile(r"\S")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Value that was passed over.

    Attributes:
        reason: Why, and what to do.
        limit: Whether it exceeds a limit of reading.
    """

    reason: str
    limit: bool = False

    @classmethod
    def beyond(cls, error: LimitExceededError) -> Unreadable:
        """Describe a value by the error of the limit that it exceeds."""
        return cls(f"{error.why[:1].upper()}{error.why[1:]} {error.fix}", limit=True)


class DamagedJsonError(DataError):
    """Text that is no JSON, as opposed to a file that cannot be read."""


class JsonCursor:
    """Position in a stream of JSON text, with a window of the text that follows it.

    Args:
        stream: The text.
        path: The file, for error messages.
        limits: Limits of reading.
    """

    def __init__(self, stream: TextIO, path: Path, limits: ReadingLimits) -> None:
        self._stream = stream
        self._path = path
        self._limits = limits
        self._decoder = BoundedDecoder(limits)
        self._window = ""
        self._position = 0
        self._ended = False
        self._line = 1  # of the window's start
        self._column = 1
        self._counted = self._newlines = 0  # how far line ends of the window are counted, and their number

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def line(self) -> int:
        """Line of the position, counted from 1."""
        # From where the last count ended: from the window's start, lines would take time with the square of its length.
        self._newlines += self._window.count("\n", self._counted, self._position)
        self._counted = self._position
        return self._line + self._newlines

    def peek(self) -> str:
        """Skip white space and return the next character, "" at the end."""
        while True:
            if found := _VISIBLE.search(self._window, self._position):
                self._position = found.start()
                return found[0]
            self._position = len(self._window)
            if self._ended:
                return ""
            self._grow()

    def take(self, character: str) -> None:
        """Consume the next character.

        Raises:
            DamagedJsonError: It is another one.
        """
        if self.peek() != character:
            raise self.error(f"'{character}' was expected")
        self._position += 1

    def value(self) -> object:
        """Decode and consume the value at the position; one that exceeds a limit becomes :class:`Unreadable`.

        Raises:
            DamagedJsonError: It is no valid JSON.
            DataError: The file cannot be read.
        """
        self.peek()
        try:
            value, end = self._decoder.decode_at(self._window, self._position)
        except RecursionError as error:
            return self._pass_over(Unreadable(NESTED, limit=True), error)
        except json.JSONDecodeError as error:
            if self._ended or not self._is_truncated(error):
                raise self.error(error.msg, error.pos) from error
        else:
            if end + len(_LONGEST_NUMBER_REST) < len(self._window) or self._ended:
                return self._consume(value, end)
        return self._long_value()

    def pass_line(self) -> bool:
        """Pass over the rest of the line; tell whether there was an end of the line."""
        while (end := self._window.find("\n", self._position)) < 0 and not self._ended:
            self._position = len(self._window)
            self._grow()
        self._position = len(self._window) if end < 0 else end + 1
        return end >= 0

    def error(self, reason: str, position: int | None = None) -> DamagedJsonError:
        """Build the error for a position of the window, by default the current one."""
        at = self._position if position is None else position
        before = self._window[:at]
        line = self._line + before.count("\n")
        column = at - before.rfind("\n") if "\n" in before else self._column + at
        return DamagedJsonError(
            f"{self._path} is no valid JSON at line {line}, column {column}:",
            why=f"{reason}.",
            fix="Write the file again, or fetch it again if it was cut off.",
        )

    def _consume(self, value: object, end: int) -> object:
        length, self._position = end - self._position, end
        if length > self._limits.record_length:
            return self._too_long()
        if self._decoder.longest:
            subject = str(self._path)
            return Unreadable.beyond(self._limits.exceeded("number_length", subject, self._decoder.long_number))
        if self._decoder.repeated:
            return Unreadable(
                f"It has the key {shown(self._decoder.repeated)} twice, and it is not known which counts."
            )
        return value

    def _long_value(self) -> object:
        """Decode and consume a value that goes on behind the window, once its end is there."""
        search, start = ValueEnd(self._window[self._position]), self._position
        while search.find(self._window, start) is None and not self._ended:
            length = len(self._window) - self._position
            if length > self._limits.record_length:
                return self._pass_over(self._too_long())
            self._grow()
            start = length
        try:
            value, end = self._decoder.decode_at(self._window, self._position)
        except RecursionError as error:
            return self._pass_over(Unreadable(NESTED, limit=True), error)
        except json.JSONDecodeError as error:
            raise self.error(error.msg, error.pos) from error
        return self._consume(value, end)

    def _pass_over(self, unreadable: Unreadable, cause: Exception | None = None) -> Unreadable:
        """Move behind the value at the position, which is never decoded, window by window."""
        failure = self.error(f"{unreadable.reason.rstrip('.')}, and it has no end")
        search = ValueEnd(self._window[self._position])
        while (end := search.find(self._window, self._position)) is None:
            if self._ended:
                raise failure from cause
            self._position = len(self._window)
            self._grow()
        self._position = end
        return unreadable

    def _too_long(self) -> Unreadable:
        return Unreadable.beyond(self._limits.exceeded("record_length", str(self._path), "it is a longer record"))

    def _is_truncated(self, error: json.JSONDecodeError) -> bool:
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
        self._counted = self._newlines = 0
