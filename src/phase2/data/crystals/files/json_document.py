"""Layouts of JSON documents: a list, an object of records, one record, the response of a server, a table of pandas."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from phase2.data.crystals.files.json_cursor import JsonCursor, Unreadable
from phase2.data.crystals.formats.records import PLACES, is_record
from phase2.data.crystals.shown import cut, shown
from phase2.errors import DataError

_LOGGER = logging.getLogger(__name__)

Record: TypeAlias = tuple[str | None, object]
"""Key of a record in its document, None without one, and the record."""

_LISTS = frozenset({"data", "response", "results", "records", "entries", "structures", "materials"})
_ASIDE = frozenset({"meta", "links", "included", "jsonapi", "schema", "ids", "nextid"})
_PLACES = frozenset(PLACES)
_MOST_KEYS = 1_000  # of one record; an object with more of them is one of records


def read_document(cursor: JsonCursor) -> Iterator[Record]:
    """Yield the records of a JSON document, which is read as a stream.

    Args:
        cursor: Start of the document.

    Raises:
        DataError: It is no valid JSON, or an error or table that holds no structure; the message says what it seems
            to be.
    """
    opening = cursor.peek()
    if opening == "[":
        yield from ((None, record) for record in _elements(cursor))
    elif opening == "{":
        yield from _object(cursor)
    else:
        raise cursor.error("a list of records or an object of records was expected")
    if cursor.peek():
        raise cursor.error("more follows after the end (one record per line is a .jsonl file)")


def _object(cursor: JsonCursor) -> Iterator[Record]:
    """Read an object, which is one record as soon as a key holds none, and holds many as soon as two keys do."""
    waiting: dict[str, object] = {}
    streamed = False
    keys = _keys(cursor)
    for key in keys:
        if key in _LISTS and cursor.peek() == "[" and not _PLACES & waiting.keys():
            yield from _list(cursor, key, waiting)
            streamed = True
            continue
        if key in waiting:
            raise cursor.error(f"the key {shown(key)} stands twice, and it is not known which counts")
        waiting[key] = cursor.value()
        if not _is_one(waiting) and _holds_many(waiting):
            yield from _members(waiting)
            yield from _rest(cursor, keys)
            return
    _refuse_errors(cursor, waiting)
    _remark_pages(cursor, waiting)
    kept = {key: value for key, value in waiting.items() if key not in _ASIDE}
    if streamed or not kept:
        return
    if (rows := _rows_of_columns(cursor, kept)) is not None:
        yield from rows
    elif _is_one(kept):
        yield None, next((part for part in kept.values() if isinstance(part, Unreadable)), kept)
    else:
        yield from _members(kept)


def _remark_pages(cursor: JsonCursor, members: Mapping[str, object]) -> None:
    """Say that a response is one page of several, of which the others are not here."""
    meta = members.get("meta")
    if isinstance(meta, Mapping) and meta.get("more_data_available") is True:
        count = meta.get("data_returned")
        of = f" of {count:,} structures" if isinstance(count, int) else ""
        _LOGGER.warning("%s is one page of a response%s; 'optimade:URL' fetches all of them", cursor.path, of)


def _is_one(members: Mapping[str, object]) -> bool:
    return bool(_PLACES & members.keys()) or any(
        not isinstance(value, dict | Unreadable) for key, value in members.items() if key not in _ASIDE
    )


def _holds_many(members: Mapping[str, object]) -> bool:
    return len(members) > _MOST_KEYS or sum(is_record(v) for k, v in members.items() if k not in _ASIDE) > 1


def _members(members: Mapping[str, object]) -> Iterator[Record]:
    return ((None if key == "data" else key, value) for key, value in members.items() if key not in _ASIDE)


def _rest(cursor: JsonCursor, keys: Iterator[str]) -> Iterator[Record]:
    for key in keys:
        value = cursor.value()
        if key in _ASIDE:
            continue
        if not isinstance(value, dict | Unreadable):
            raise cursor.error(
                f"'{cut(key, 80)}' holds no record; the top level is a list of records, or an object with a record for "
                "each id (one record per line is a .jsonl file)"
            )
        yield key, value


def _list(cursor: JsonCursor, key: str, before: Mapping[str, object]) -> Iterator[Record]:
    columns = before.get("columns")
    if key != "data" or not isinstance(columns, list):
        yield from ((None, record) for record in _elements(cursor))
        return
    index = before.get("index")
    names = index if isinstance(index, list) else []
    for number, row in enumerate(_elements(cursor)):
        name = str(names[number]) if number < len(names) else None
        yield name, _row(columns, row)


def _row(columns: list[object], row: object) -> object:
    """Return a row of a table as a record."""
    if isinstance(row, Unreadable):
        return row
    if not isinstance(row, list) or len(row) != len(columns):
        return Unreadable(f"It is no row of {len(columns)} cells, one for each column of the table.")
    found = dict(zip(map(str, columns), row, strict=True))
    if len(found) < len(columns):
        return Unreadable("Two columns of the table have the same name.")
    return found


def _refuse_errors(cursor: JsonCursor, members: Mapping[str, object]) -> None:
    errors = members.get("errors")
    if not isinstance(errors, list) or not errors:
        return
    first = errors[0] if isinstance(errors[0], Mapping) else {"detail": errors[0]}
    said = "; ".join(cut(str(first[key]), 200) for key in ("status", "title", "detail") if first.get(key))
    raise DataError(
        f"{cursor.path} is an error response of a server, as OPTIMADE's are; it holds no structure.",
        why=f"It says: {said or 'nothing'}.",
        fix="Correct the request, and fetch the response again.",
    )


def _rows_of_columns(cursor: JsonCursor, members: Mapping[str, object]) -> Iterator[Record] | None:
    """Return the rows of a table that pandas writes column by column, as ``DataFrame.to_json`` does; None for others.

    Its columns are objects with the same keys, the rows, and at least one of them holds structures, and not all.

    Raises:
        DataError: A column is longer than a record may be.
    """
    columns = {name: one for name, one in members.items() if isinstance(one, Mapping) and one}
    long = [name for name, one in members.items() if isinstance(one, Unreadable)]
    if len(columns) + len(long) < max(2, len(members)) or len({frozenset(one) for one in columns.values()}) != 1:
        return None
    held = [name for name, column in columns.items() if _holds_structures(name, column)]
    if long and set(long) & _PLACES:
        raise DataError(
            f"{cursor.path} is a pandas DataFrame that is written column by column, too long to be read so.",
            why=f"Its column '{cut(long[0], 80)}' has to be held as a whole, and is longer than a record may be.",
            fix="Write it by rows, df.to_json(path, orient='records', lines=True) as .jsonl, or raise "
            "data.limits.record_length.",
        )
    if long or not held or len(held) == len(columns):
        return None
    rows = columns[held[0]]
    return ((key, {name: column[key] for name, column in columns.items()}) for key in rows)


def _holds_structures(name: str, column: Mapping[str, object]) -> bool:
    cells = [cell for cell in column.values() if cell is not None]
    return bool(cells) and all(is_record({name: cell}) for cell in cells)


def _keys(cursor: JsonCursor) -> Iterator[str]:
    """Yield the keys of an object, after each of which the caller takes the value."""
    cursor.take("{")
    more = cursor.peek() != "}"
    while more:
        if cursor.peek() != '"':
            raise cursor.error("a name in double quotes was expected")
        key = cursor.value()
        cursor.take(":")
        if not isinstance(key, str):
            raise cursor.error("the name of the next record is too long")
        yield key
        more = cursor.peek() == ","
        if more:
            cursor.take(",")
    cursor.take("}")


def _elements(cursor: JsonCursor) -> Iterator[object]:
    cursor.take("[")
    more = cursor.peek() != "]"
    while more:
        yield cursor.value()
        more = cursor.peek() == ","
        if more:
            cursor.take(",")
    cursor.take("]")
