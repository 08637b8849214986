"""Values of files in messages: cut, for a file may hold any number of characters where an element is expected."""

from __future__ import annotations

import reprlib


def shown(value: object) -> str:
    """Return the ``repr`` of a value, cut in its middle if it is long.

    >>> shown("Si" * 100)
    "'SiSiSiSiSiSi...iSiSiSiSiSiSi'"
    """
    try:
        return reprlib.repr(value)
    except ValueError:  # Python converts no integer of more than 4,300 digits
        return "a number of thousands of digits"


def cut(text: str, most: int = 500) -> str:
    """Cut a message that quotes a file.

    >>> cut("longer than that", most=6)
    'longer...'
    """
    return text if len(text) <= most else f"{text[:most]}..."
