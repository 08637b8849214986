"""Words that people and programs write where a value is missing."""

from __future__ import annotations

import re

FIRST_WORDS = frozenset({"", "na", "n/a", "nan", "none", "null"})
"""Words that version 0.1.0 knew: what it read is read as it was."""

_WORDS = frozenset({
    "", "na", "nan", "nd", "nv", "ka", "nil", "null", "none", "missing", "missingvalue", "unknown", "undefined",
    "unavailable", "notavailable", "notapplicable", "notreported", "notcalculated", "notcomputed", "notdetermined",
    "notmeasured", "nodata", "novalue", "void", "tbd", "empty", "blank", "1qnan", "1ind", "1nan",
})  # fmt: skip
_PUNCTUATION = re.compile(r"[\s._/?*~!#<>()\[\]{}'\"\-\u2010-\u2015\u2212]+")
_SPREADSHEET = re.compile(r"#(?:n/?a(?: n/?a)?|div/0!|value!|ref!|name\?|num!|null!|error!?|calc!|spill!)")


def is_missing(text: str) -> bool:
    """Tell whether a cell says that there is no value: empty, ``-``, ``?``, ``n.a.``, ``#N/A``, ``<NA>``, ``missing``.

    Example:
        >>> is_missing(" n. a. "), is_missing("--"), is_missing("0"), is_missing("inf")
        (True, True, False, False)
    """
    word = text.strip().casefold()
    return _PUNCTUATION.sub("", word) in _WORDS or _SPREADSHEET.fullmatch(word) is not None
