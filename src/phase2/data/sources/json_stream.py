"""Records of a large JSON file one at a time.

``json.load`` of JARVIS's 209 MB takes gigabytes, because every record lives at once. Here the text passes through a
window, and a record is gone when the next one is asked for. NaN and Infinity may stand for numbers, as in those files.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TextIO, cast

from phase2.errors import DataError

CHUNK = 1 << 20

_DECODER = json.JSONDecoder()
_READ_ERRORS = (OSError, EOFError, zlib.error, zipfile.BadZipFile, UnicodeDecodeError)

# A token that is cut off by the end of the window is reported at its start, at most this far from the end.
_LONGEST_WORD = len("-Infinity")

# A number cut off before its exponent decodes as a shorter number, and leaves this much behind.
_LONGEST_NUMBER_REST = "e+"


def stream_records(path: Path, member: str | None = None) -> Iterator[tuple[str | None, object]]:
    """Yield the records of a JSON list, a JSON object of records, or JSON lines (``.jsonl``, ``.ndjson``).

    Args:
        path: The file, as it is or compressed by gzip or zip, which is told from its content.
        member: Name of the file within a zip archive; by default it has to be the only one.

    Yields:
        The record's key in the object (None in a list), and the record.

    Raises:
        DataError: The file cannot be read, or is no valid JSON; the message has line and column.
    """
    with _open_text(path, member) as (text, name):
        cursor = _Cursor(text, path)
        yield from _lines(cursor) if is_json_lines(name) else _document(cursor)


def is_json_lines(name: str) -> bool:
    """Whether the name of a file says that it holds JSON lines."""
    return name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson"))


def _document(cursor: _Cursor) -> Iterator[tuple[str | None, object]]:
    opening = cursor.peek()
    if opening not in {"[", "{"}:
        raise cursor.error("a list of records or an object of records was expected")
    cursor.take(opening)
    closing = "]" if opening == "[" else "}"
    more = cursor.peek() != closing
    while more:
        key = _key(cursor) if opening == "{" else None
        record = cursor.value()
        if key is not None and not isinstance(record, dict):
            raise cursor.error(
                f"'{key}' holds no record; the top level is a list of records, or an object with a record for each id "
                "(one record per line is a .jsonl file)"
            )
        yield key, record
        more = cursor.peek() == ","
        if more:
            cursor.take(",")
    cursor.take(closing)
    if cursor.peek():
        raise cursor.error("more follows after the end (one record per line is a .jsonl file)")


def _key(cursor: _Cursor) -> str:
    if cursor.peek() != '"':
        raise cursor.error("a name in double quotes was expected")
    key = cursor.value()
    cursor.take(":")
    return str(key)


def _lines(cursor: _Cursor) -> Iterator[tuple[None, object]]:
    while cursor.peek():
        line = cursor.line
        yield None, cursor.value()
        if cursor.peek() and cursor.line == line:
            raise cursor.error("one record per line was expected")


class _Cursor:
    """A position in a stream of JSON text, with a window of the text that follows it."""

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
        """Line number of the position, from 1."""
        return self._line + self._window.count("\n", 0, self._position)

    def peek(self) -> str:
        """Skip white space and give the next character, "" at the end."""
        while True:
            while self._position < len(self._window):
                if not self._window[self._position].isspace():
                    return self._window[self._position]
                self._position += 1
            if self._ended:
                return ""
            self._grow()

    def take(self, character: str) -> None:
        """Step over the next character, which has to be this one."""
        if self.peek() != character:
            raise self.error(f"'{character}' was expected")
        self._position += 1

    def value(self) -> object:
        """Decode the value at the position and step over it."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._window, self._position)
            except (ValueError, RecursionError) as error:
                if self._ended or not self._is_cut_off(error):
                    raise self.error(getattr(error, "msg", str(error)), getattr(error, "pos", None)) from error
            else:
                if end + len(_LONGEST_NUMBER_REST) < len(self._window) or self._ended:
                    self._position = end
                    return value
            self._grow()

    def error(self, reason: str, position: int | None = None) -> DataError:
        """Describe what is wrong at a position of the window."""
        at = self._position if position is None else position
        before = self._window[:at]
        line = self._line + before.count("\n")
        column = at - before.rfind("\n") if "\n" in before else self._column + at
        return DataError(
            f"{self._path} is no valid JSON at line {line}, column {column}:",
            why=f"{reason}.",
            fix="Write the file again, or fetch it again if it was cut off.",
        )

    def _is_cut_off(self, error: ValueError | RecursionError) -> bool:
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.msg.startswith("Unterminated string") or error.pos >= len(self._window) - _LONGEST_WORD

    def _grow(self) -> None:
        before, after = self._window[: self._position], self._window[self._position :]
        newlines = before.count("\n")
        self._line += newlines
        self._column = len(before) - before.rfind("\n") if newlines else self._column + len(before)
        # As much again as is there: a long value is tried a few times only.
        try:
            new = self._stream.read(max(CHUNK, len(after)))
        except _READ_ERRORS as error:
            raise _unreadable(self._path, error) from error
        self._ended = not new
        self._window, self._position = after + new, 0


@contextmanager
def _open_text(path: Path, member: str | None) -> Iterator[tuple[TextIO, str]]:
    with ExitStack() as stack:
        try:
            binary: IO[bytes] = stack.enter_context(path.open("rb"))
            magic, name = binary.read(4), path.name
            binary.seek(0)
            if magic[:2] == b"\x1f\x8b":
                binary = cast("IO[bytes]", stack.enter_context(gzip.open(binary)))
            elif magic == b"PK\x03\x04":
                archive = stack.enter_context(zipfile.ZipFile(binary))
                name = _member(path, archive.namelist(), member)
                binary = stack.enter_context(archive.open(name))
        except _READ_ERRORS as error:
            raise _unreadable(path, error) from error
        yield io.TextIOWrapper(binary, encoding="utf-8-sig"), name


def _member(path: Path, names: list[str], wanted: str | None) -> str:
    candidates = [n for n in names if (n == wanted if wanted else n.lower().endswith((".json", ".jsonl", ".ndjson")))]
    if len(candidates) != 1:
        raise DataError(
            f"The archive {path} has {f'no {wanted}' if wanted else f'{len(candidates)} JSON files, expected one'}.",
            why=f"It holds: {', '.join(names[:8]) or 'nothing'}.",
            fix="Fetch it again, or give the unpacked JSON file.",
        )
    return candidates[0]


def _unreadable(path: Path, error: Exception) -> DataError:
    if isinstance(error, UnicodeDecodeError):
        reason = f"Byte {error.object[error.start]:#04x} is no UTF-8."
    else:
        reason = f"{getattr(error, 'strerror', None) or error}."
    return DataError(
        f"{path} cannot be read.", why=reason, fix="Check the path; if the file was cut off, write it again."
    )
