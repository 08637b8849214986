"""Words around numbers and names: plurals, and the end of a sentence."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, which takes an s unless there is one of it.

    Example:
        >>> counted(1, "run"), counted(0, "run"), counted(7628, "test crystal")
        ('1 run', '0 runs', '7,628 test crystals')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def full_stop(text: str) -> str:
    """Return a text that ends with a full stop, and with one alone where a name at its end has one.

    Example:
        >>> full_stop("Drawn with a library of Example Inc."), full_stop("Drawn with a library")
        ('Drawn with a library of Example Inc.', 'Drawn with a library.')
    """
    return text if text.endswith(".") else text + "."
