"""Text files and the errors of their parsers, alike for all formats."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from phase2.data.crystals.crystal import Crystal
from phase2.errors import DataError, InvalidCrystalError

# What pymatgen's parsers raise on damaged text; they have no exception class of their own.
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

# Warnings after which pymatgen returns a structure that is not the one in the file.
_FATAL_WARNINGS = ("Elements in POSCAR", "implicit hydrogens", "Some occupancies")


def parse_file(path: Path, id: str | None, parse: Callable[[str, str], Crystal]) -> Crystal:  # noqa: A002
    """Parse a structure file with a parser of pymatgen, turning its errors and fatal warnings into ours.

    Args:
        path: The file.
        id: Name of the crystal; the name of the file if None.
        parse: Function of the file's text and the crystal's name.

    Raises:
        DataError: The file cannot be read.
        InvalidCrystalError: It holds no valid crystal; the message names the file.
    """
    text = read_text(path)
    name = path.name if id is None else id
    with warnings.catch_warnings(record=True) as caught, naming_file(path):
        warnings.simplefilter("always")
        try:
            crystal = parse(text, name)
        except InvalidCrystalError:
            raise
        except _PARSER_ERRORS as error:
            reasons = [str(w.message) for w in caught if "No structure parsed" in str(w.message)]
            reason = "; ".join(reasons) or f"it cannot be parsed: {str(error) or type(error).__name__}"
            raise InvalidCrystalError.of(name, _on_one_line(reason)) from error
        for warning in caught:
            if any(fatal in str(warning.message) for fatal in _FATAL_WARNINGS):
                raise InvalidCrystalError.of(name, _on_one_line(str(warning.message)))
        return crystal


def read_text(path: Path) -> str:
    """Read a text file in UTF-8 or, where it is none, in Latin-1.

    Raises:
        DataError: The file cannot be read, or is binary.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read.", why=f"{error.strerror}.", fix="Check the path.") from error
    if b"\0" in content:
        raise DataError(
            f"{path} is no text file.", why="It holds zero bytes: binary, or UTF-16.", fix="Save it as UTF-8 text."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Older CIFs have authors' names in Latin-1; symbols and numbers are ASCII either way.
        return content.decode("latin-1")


@contextmanager
def naming_file(path: Path) -> Iterator[None]:
    """Prefix the message of an InvalidCrystalError with the name of the file."""
    try:
        yield
    except InvalidCrystalError as error:
        raise InvalidCrystalError(f"{path} holds no valid crystal:", why=error.why, fix=error.fix) from error


def _on_one_line(message: str) -> str:
    return " ".join(message.split())
