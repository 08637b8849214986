"""Text files and the errors of their parsers, alike for all formats."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.text import refuse_long_parts
from phase2.data.crystals.shown import cut
from phase2.errors import InvalidCrystalError

# What parsers of libraries raise on damaged text; they have no exception class of their own.
_PARSER_ERRORS = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    RuntimeError,
    Warning,
)

_LONGEST_MESSAGE = 10_000  # a parser may quote the whole file


def parse_text(
    text: str,
    subject: str,
    id: str,  # noqa: A002 - the crystal's own field
    parse: Callable[[str, str, ReadingLimits], Crystal],
    limits: ReadingLimits,
) -> Crystal:
    """Parse the text of a structure file, wherever it comes from, turning the errors of its parser into ours.

    Args:
        text: The text.
        subject: The file, for messages: its path, or its name in an archive.
        id: Name of the crystal.
        parse: Function of the text, the crystal's name and the limits.
        limits: Limits of reading, of which those of the text are checked here.

    Raises:
        InvalidCrystalError: It holds no valid crystal, or exceeds a limit; the message names the subject.
    """
    refuse_long_parts(text, subject, limits)
    with warnings.catch_warnings(), naming_file(subject):
        warnings.simplefilter("ignore")
        try:
            return parse(text, id, limits)
        except InvalidCrystalError:
            raise
        except _PARSER_ERRORS as error:
            reason = f"it cannot be parsed: {str(error) or type(error).__name__}"
            raise InvalidCrystalError.of(id, _on_one_line(reason)) from error


def check_atoms(name: str, count: int, limits: ReadingLimits) -> None:
    """Refuse a cell with more atoms than the limit.

    Raises:
        LimitExceededError: It has more.
    """
    if count > limits.atoms:
        raise limits.exceeded("atoms", f"Crystal '{name}'", f"it has {count:,} atoms")


@contextmanager
def naming_file(subject: str | Path) -> Iterator[None]:
    """Prefix the message of an InvalidCrystalError with the name of the file."""
    try:
        yield
    except InvalidCrystalError as error:
        raise type(error)(f"{subject} holds no valid crystal:", why=error.why, fix=error.fix) from error


def _on_one_line(message: str) -> str:
    return cut(" ".join(message[:_LONGEST_MESSAGE].split()))
