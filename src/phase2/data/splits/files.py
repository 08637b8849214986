"""Split files: lists of ids by part, as published with JARVIS's and the Materials Project's data sets, or your own."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from phase2.data.crystals.repeats import first_repeated
from phase2.errors import DataError
from phase2.output.csv_text import read_csv

Part = Literal["train", "val", "test"]

MOST_BYTES = 256 * 2**20
"""Size of a split file: 256 MiB hold ten million ids."""

PART_WORDS: Mapping[str, Part] = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test",
}  # fmt: skip
"""What parts are called in split files."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class SplitFile:
    """Ids by part.

    Attributes:
        part: Part of each id.
        sha256: SHA-256 of the file, hexadecimal.
        heading: First cell of the row that was taken for the headings of a CSV, "" for none.
    """

    part: Mapping[str, Part]
    sha256: str
    heading: str = ""

    def has(self, part: Part) -> bool:
        """Whether any id is in a part."""
        return part in self.part.values()


def read_split_file(path: Path) -> SplitFile:
    """Read a split file.

    A JSON file is an object with ``train``, ``val`` and ``test``, or ``id_train``, ``id_val`` and ``id_test`` as in
    ``ids_train_val_test.json`` of JARVIS. A CSV has a row for each id, with the part behind it; a heading is skipped.

    Raises:
        DataError: It cannot be read, is no such file, or has an id in two parts.
    """
    content = _content(path)
    heading = ""
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        heading, rows = _csv_rows(path, content)
    else:
        rows = list(_json_rows(path, content))
    found: dict[str, Part] = {}
    twice: list[str] = []
    for name, part in rows:
        if found.setdefault(name, part) != part:
            twice.append(name)
    if twice:
        raise DataError(
            f"{path} has {shown(twice)} in two parts.", why="A crystal is in one part.", fix="Remove one of the two."
        )
    if not any(part == "train" for part in found.values()) or not any(part == "test" for part in found.values()):
        raise DataError(
            f"{path} has no id for the training or for the test part.",
            why="The validation part alone is drawn where a file has none.",
            fix='Write {"train": [...], "val": [...], "test": [...]}.',
        )
    return SplitFile(found, hashlib.sha256(content).hexdigest(), heading)


def shown(names: list[str]) -> str:
    """Return how many ids there are, and the first of them."""
    rest = ", ..." if len(names) > _SHOWN else ""
    noun = "id" if len(names) == 1 else "ids"
    return f"{len(names):,} {noun} ({', '.join(sorted(names)[:_SHOWN])}{rest})"


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise DataError(f"{path} has {size:,} bytes.", why=f"A split file has up to {MOST_BYTES:,}.")
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"The split file {path} cannot be read.", why=f"{error.strerror}.", fix="Check the path behind 'file:'."
        ) from error


def _json_rows(path: Path, content: bytes) -> Iterator[tuple[str, Part]]:
    try:
        found = json.loads(content, object_pairs_hook=lambda pairs: _with_single_keys(path, pairs))
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise _no_split_file(path, f"It is no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise _no_split_file(path, f"It holds a {type(found).__name__}, not an object with the parts.")
    parts = {key: PART_WORDS.get(str(key).lower().removeprefix("id_").removeprefix("ids_")) for key in found}
    if not any(parts.values()):
        raise _no_split_file(path, f"Its keys are {', '.join(map(str, list(found)[:8])) or 'none'}.")
    for key, part in parts.items():
        if part is None:
            continue
        if not isinstance(found[key], list):
            raise _no_split_file(path, f"'{key}' is no list of ids.")
        for name in found[key]:
            if not isinstance(name, str | int) or isinstance(name, bool):
                raise _no_split_file(path, f"'{key}' holds {json.dumps(name)[:60]}, which is no id.")
            yield str(name), part


def _with_single_keys(path: Path, pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    twice = first_repeated(key for key, _ in pairs)
    if twice is not None:
        raise _no_split_file(path, f"It has '{twice}' twice, and the ids of one would be lost.")
    return found


def _csv_rows(path: Path, content: bytes) -> tuple[str, list[tuple[str, Part]]]:
    """Return the first cell of the headings, "" without any, and the rows: an id and its part."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _no_split_file(path, "It is no text in UTF-8.") from error
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=first.count)
    try:
        table = list(read_csv(io.StringIO(text, newline=""), separator))
    except ValueError as error:
        raise _no_split_file(path, f"It is no CSV: {error}.") from error
    heading = ""
    rows: list[tuple[str, Part]] = []
    for number, row in enumerate(table):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        part = PART_WORDS.get(cells[1].lower()) if len(cells) > 1 else None
        if part is None and not rows and not heading:
            heading = cells[0]
            continue
        if part is None or not cells[0]:
            raise _no_split_file(path, f"Row {number + 1} is no id with train, val or test behind it.")
        rows.append((cells[0], part))
    return heading, rows


def _no_split_file(path: Path, why: str) -> DataError:
    return DataError(
        f"{path} is no split file.",
        why=why,
        fix='Write {"train": [...], "val": [...], "test": [...]}, JARVIS\'s id_train, id_val and id_test, or a CSV of '
        "id and part.",
    )
