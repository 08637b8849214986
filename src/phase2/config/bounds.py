"""Bounds that options and settings share."""

from __future__ import annotations

MOST_COUNTED = 10**9
MOST_RATE = 1e3
LONGEST_ADDRESS = 4096


def is_utf8(text: str) -> bool:
    """Return whether a text can be written: names of files whose bytes are no UTF-8 come with lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
