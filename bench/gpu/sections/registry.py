"""The sections in their order, and how long each may take."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.gpu.record.rows import Row
from bench.gpu.setting import Setting


@dataclass(frozen=True)
class Plan:
    """A section that can be run.

    Attributes:
        name: Its module, which has a function of that name.
        budget: Seconds after which it is ended; what it has measured until then is kept.
        has_laws: Whether it shows something that must hold.
    """

    name: str
    budget: float
    has_laws: bool = False

    def load(self) -> Callable[[Setting], Iterator[Row]]:
        """Import the function that yields the rows."""
        function: Callable[[Setting], Iterator[Row]] = getattr(
            importlib.import_module(f"bench.gpu.sections.{self.name}"), self.name
        )
        return function


MACHINE = Plan("machine", 50)
SECTIONS = (
    Plan("laws", 40, has_laws=True),
    Plan("first_step", 35),
    Plan("training", 75),
    Plan("profiling", 40),
    Plan("baselines", 40, has_laws=True),
    Plan("prediction", 40, has_laws=True),
    Plan("resume", 40, has_laws=True),
)
"""Their budgets and that of the machine sum to six minutes."""
