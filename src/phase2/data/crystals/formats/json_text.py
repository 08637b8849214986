"""Decoding JSON whose numbers and nesting are bounded."""

from __future__ import annotations

import json

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.repeats import first_repeated
from phase2.errors import DataError


class BoundedDecoder:
    """JSON decoder that never converts a long whole number, which takes time with the square of its length.

    Args:
        limits: Limits of reading.

    Attributes:
        longest: Characters of the longest number beyond the limit in the last value, 0 without one; such a number
            decodes as NaN.
        repeated: Key that stands twice in an object of the last value, "" without one; JSON does not say which counts.
    """

    def __init__(self, limits: ReadingLimits) -> None:
        self.longest = 0
        self.repeated = ""
        self._limits = limits
        self._decoder = json.JSONDecoder(parse_int=self._parse_int, object_pairs_hook=self._object)

    def decode_at(self, text: str, position: int) -> tuple[object, int]:
        """Decode the value at a position; return it and the position after it.

        Raises:
            JSONDecodeError: There is none.
            RecursionError: It is nested too deeply.
        """
        self.longest, self.repeated = 0, ""
        return self._decoder.raw_decode(text, position)

    def decode(self, text: str, subject: str) -> object:
        """Decode a whole text.

        Args:
            text: The text.
            subject: The file, for messages.

        Raises:
            DataError: It is no valid JSON, or nested too deeply.
            LimitExceededError: It has a number that is too long.
        """
        self.longest, self.repeated = 0, ""
        try:
            value: object = self._decoder.decode(text)
        except json.JSONDecodeError as error:
            raise DataError(f"{subject} is no valid JSON.", why=f"{error}.", fix="Write the file again.") from error
        except RecursionError as error:
            raise DataError(f"{subject} is no valid JSON.", why=NESTED, fix="Write the file again.") from error
        if self.longest:
            raise self._limits.exceeded("number_length", subject, self.long_number)
        return value

    @property
    def long_number(self) -> str:
        """Description of the longest number as a clause."""
        return f"it has a number of {self.longest:,} characters"

    def _object(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            self.repeated = first_repeated(key for key, _ in pairs) or ""
        return found

    def _parse_int(self, digits: str) -> int | float:
        if len(digits) <= self._limits.number_length:
            return int(digits)
        self.longest = max(self.longest, len(digits))
        return float("nan")


NESTED = "Its values are nested too deeply."
