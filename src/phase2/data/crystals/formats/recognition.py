"""Recognition of structure files by their first characters, where a name says nothing."""

from __future__ import annotations

import re

_CELL = re.compile(r"^\s*_cell[_.]length_a\b", re.MULTILINE | re.IGNORECASE)
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?"
_SCALE = re.compile(rf"\s*{_NUMBER}(?:\s+{_NUMBER}\s+{_NUMBER})?\s*(?:[#!].*)?")
_VECTOR = re.compile(rf"\s*{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}(?:\s.*)?")
FRAME = re.compile(r"^[ \t]*(Direct|Cartesian) configuration[ \t]*=[ \t]*\d+[ \t]*$", re.MULTILINE | re.IGNORECASE)
_EXTENDED = re.compile(r"\s*\d+\s*\n[^\n]*\bLattice\s*=", re.IGNORECASE)

_JSON = re.compile(r"(?:\xef\xbb\xbf)?\s*[{\[]")
_JSON_LINES = re.compile(r"(?:\xef\xbb\xbf)?\s*\{[^\n]*\}[ \t\r]*\n\s*\{")
_JSON_KEY = re.compile(r'"([^"\\]{1,40})"\s*:')
_STRUCTURE_KEYS = frozenset({
    "atoms", "structure", "lattice", "lattice_mat", "lattice_vectors", "sites", "numbers", "positions", "coords",
    "elements", "cell", "cif", "poscar", "columns", "@module",
})  # fmt: skip
"""Keys of which every JSON of a structure, or of a table of them, has one."""

HEAD = 1 << 16
"""Characters or bytes from the start of a file that decide."""


def is_cif(text: str) -> bool:
    """Tell whether a text is a CIF: it has a cell."""
    return _CELL.search(text, 0, HEAD) is not None


def is_poscar(text: str) -> bool:
    """Tell whether a text is a POSCAR: a comment, a scale and three vectors, and no frames."""
    lines = text[:HEAD].splitlines()[1:5]
    head = len(lines) == 4 and _SCALE.fullmatch(lines[0]) is not None and all(map(_VECTOR.fullmatch, lines[1:]))
    return head and not is_xdatcar(text)


def is_xdatcar(text: str) -> bool:
    """Tell whether a text is an XDATCAR: it has a line that begins a frame."""
    return FRAME.search(text, 0, HEAD) is not None


def is_extxyz(text: str) -> bool:
    """Tell whether a text is an extended XYZ file: a number of atoms, and a comment with ``Lattice=``."""
    return _EXTENDED.match(text, 0, HEAD) is not None


def is_json(text: str) -> bool:
    """Tell whether a text is a JSON of structures: it begins as JSON does, and has a key of a structure."""
    return _JSON.match(text) is not None and not _STRUCTURE_KEYS.isdisjoint(_JSON_KEY.findall(text[:HEAD]))


def has_json_lines(text: str) -> bool:
    """Tell whether the first two lines of a JSON text are an object each."""
    return _JSON_LINES.match(text) is not None


def is_other_json(text: str) -> bool:
    """Tell whether a whole JSON text is about something else than structures: it has keys, and none of a structure."""
    keys = set(_JSON_KEY.findall(text))
    return bool(keys) and keys.isdisjoint(_STRUCTURE_KEYS)
