"""Configurations of many runs in a small place: what most runs have once, and of each run what differs from it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Self

from pydantic import JsonValue

from phase2.storage.records import Record

ABSENT = -1
"""Number in place of a value, where a configuration does not have the path."""

Settings = Mapping[str, JsonValue]
Pairs = tuple[tuple[int, int], ...]


class SettingsTable(Record):
    """Configurations by dotted path.

    Attributes:
        paths: All paths.
        values: All values.
        common: The value that most configurations have of each path, as (number of the path, number of the value).
        differing: Of each configuration, the paths in which it differs from ``common``, as such pairs.
    """

    paths: tuple[str, ...] = ()
    values: tuple[JsonValue, ...] = ()
    common: Pairs = ()
    differing: tuple[Pairs, ...] = ()

    @classmethod
    def encode(cls, configurations: Sequence[Settings]) -> Self:
        """Make the table of some configurations.

        Example:
            >>> table = SettingsTable.encode([{"seed": 1}, {"seed": 2}, {"seed": 1}])
            >>> table.values, table.common, table.differing
            ((1, 2), ((0, 0),), ((), ((0, 1),), ()))
        """
        paths = {path: number for number, path in enumerate(sorted({p for one in configurations for p in one}))}
        numbers: dict[object, int] = {}
        values: list[JsonValue] = []

        def number_of(value: JsonValue) -> int:
            # Python holds 1, 1.0 and true for equal.
            key = json.dumps(value, sort_keys=True) if isinstance(value, list | dict) else (type(value), value)
            if key not in numbers:
                numbers[key] = len(values)
                values.append(value)
            return numbers[key]

        numbered = [{paths[path]: number_of(value) for path, value in sorted(one.items())} for one in configurations]
        common = {path: _most_common(path, numbered) for path in paths.values()}
        differing = tuple(
            tuple((path, found) for path, most in common.items() if (found := one.get(path, ABSENT)) != most)
            for one in numbered
        )
        return cls(paths=tuple(paths), values=tuple(values), common=tuple(common.items()), differing=differing)

    def decode(self) -> list[dict[str, JsonValue]]:
        """Return the configurations.

        Raises:
            IndexError: A number is not one of the table.
        """
        return [
            {self.paths[path]: self.values[value] for path, value in self._merged(pairs).items() if value != ABSENT}
            for pairs in self.differing
        ]

    def _merged(self, pairs: Pairs) -> dict[int, int]:
        return dict(self.common) | dict(pairs)


def _most_common(path: int, configurations: Sequence[Mapping[int, int]]) -> int:
    return Counter(one.get(path, ABSENT) for one in configurations).most_common(1)[0][0]
