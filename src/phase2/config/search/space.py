"""Search spaces: the settings that a study varies. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from phase2.config.assignments import SET, Setting
from phase2.config.levels import Algorithm
from phase2.config.multirun.sweep import option_of
from phase2.config.request.options import flag
from phase2.config.request.run_request import RunRequest
from phase2.config.run_file.reader import RunFile
from phase2.config.search.dimensions import OVER, Dimension
from phase2.config.search.parser import dimension_of, parse_dimension
from phase2.errors import RequestError

SPACE = "--space"


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """Settings that a study varies.

    Attributes:
        dimensions: One per setting.
    """

    dimensions: tuple[Dimension, ...]

    @classmethod
    def parse(cls, texts: Iterable[str], algorithm: Algorithm) -> SearchSpace:
        """Parse ``path=low..high``, ``path=low..high:log``, ``path=low..high:step=16`` and ``path=value,value``.

        Raises:
            RequestError: A text is not understood, or a value is invalid for its setting.
            UnknownNameError: There is no such path; the nearest is offered.

        Example:
            >>> space = SearchSpace.parse(["training.lr=1e-4..1e-2:log", "training.batch_size=16,32"], "cgcnn")
            >>> space.texts
            ('training.lr=0.0001..0.01:log', 'training.batch_size=16,32')
        """
        return cls(_distinct(parse_dimension(text, algorithm) for text in texts))

    @classmethod
    def read(cls, path: Path, algorithm: Algorithm) -> SearchSpace:
        """Read a YAML file that gives each setting a range or a list of choices, nested as in a configuration file.

        Raises:
            RequestError: As :meth:`parse`, or the file is unusable.
            UnknownNameError: There is no such path; the nearest is offered.
        """
        file = RunFile.read(path, option=SPACE)
        if file.options:
            raise RequestError(
                f"{path}: '{next(iter(file.options))}' cannot be searched.",
                why="A search space holds settings; all trials have the same algorithm and level.",
                fix=f"Give it as an option, or in a file for --config: {flag(next(iter(file.options)))}.",
            )
        return cls(_distinct(dimension_of(setting, algorithm) for setting in file.settings))

    def merged_with(self, other: SearchSpace) -> SearchSpace:
        """Return the space with the dimensions of both.

        Raises:
            RequestError: Both have one for the same setting.
        """
        return SearchSpace(_distinct((*self.dimensions, *other.dimensions)))

    @property
    def texts(self) -> tuple[str, ...]:
        """Arguments of ``--over`` that make this space."""
        return tuple(one.text for one in self.dimensions)

    def request(self, base: RunRequest, values: Mapping[str, object]) -> RunRequest:
        """Return the request of a trial: that of all trials with these values by path."""
        kept = tuple(one for one in base.settings if one.path not in values)
        return replace(base, settings=(*kept, *(Setting(path, value, OVER) for path, value in values.items())))

    def check(self, base: RunRequest) -> None:
        """Check that a request leaves the searched settings open.

        Raises:
            RequestError: It gives one of them as well, or is fixed; or there is nothing to search.
        """
        if not self.dimensions:
            raise RequestError(
                "There is nothing to search.", fix=f"Name a setting and its values: {OVER} training.lr=1e-4..1e-2:log."
            )
        for one in self.dimensions:
            name = option_of(one.path)
            given = name is not None and base.given(name)
            if given or any(each.path == one.path and each.origin == SET for each in base.settings):
                raise RequestError(
                    f"{flag(name) if given and name else f'{SET} {one.path}'} and {OVER} {one.path} give one setting.",
                    why="The study chooses it for every trial.",
                    fix="Drop one of the two.",
                )
        self.request(base, {one.path: one.example for one in self.dimensions})


def _distinct(dimensions: Iterable[Dimension]) -> tuple[Dimension, ...]:
    found: dict[str, Dimension] = {}
    for one in dimensions:
        if one.path in found:
            raise RequestError(f"{OVER} {one.path} is given twice.", fix="Drop one of the two.")
        found[one.path] = one
    return tuple(found.values())
