"""Amounts of CPU and memory as Kubernetes writes them: ``500m``, ``2``, ``1.5``, ``8Gi``, ``4G``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from phase2.errors import RequestError

_UNITS: dict[str, Fraction] = {
    "": Fraction(1),
    "m": Fraction(1, 1000),
    **{unit: Fraction(1000 ** (k + 1)) for k, unit in enumerate("kMGTPE")},
    **{f"{unit}i": Fraction(1024 ** (k + 1)) for k, unit in enumerate("KMGTPE")},
}
_QUANTITY = re.compile(rf"(\d{{1,15}}(?:\.\d{{1,9}})?)({'|'.join(sorted(_UNITS, key=len, reverse=True))})")

_SMALLEST_MEMORY = 64 << 20
_LARGEST_MEMORY = 1 << 50
_MOST_CORES = 1024


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount of something.

    Attributes:
        text: As it was written, which is also how Kubernetes is told.
        value: The number of whole units (cores, bytes).
    """

    text: str
    value: Fraction

    def __str__(self) -> str:
        return self.text

    @property
    def at_least_one(self) -> int:
        """The whole units in it, but no fewer than one."""
        return max(1, math.floor(self.value))


def parse_quantity(text: str) -> Quantity | None:
    """Read a quantity; None when it is none."""
    found = _QUANTITY.fullmatch(text.strip())
    return None if found is None else Quantity(text.strip(), Fraction(found[1]) * _UNITS[found[2]])


def parse_cpu(text: str, *, option: str = "--cpu") -> Quantity:
    """Read a number of cores.

    Raises:
        RequestError: It is none, is finer than a thousandth of a core, or no machine has so many.
    """
    found = parse_quantity(text)
    if found is None or (found.value * 1000).denominator != 1 or not 0 < found.value <= _MOST_CORES:
        raise RequestError(
            f"{option} {text} is no number of cores.",
            why=f"It is a number up to {_MOST_CORES}, in steps of a thousandth.",
            fix="Write 4, 1.5 or 500m.",
        )
    return found


def parse_memory(text: str) -> Quantity:
    """Read an amount of memory.

    Raises:
        RequestError: It is none, or so small or large that a unit was probably forgotten or mistaken.
    """
    found = parse_quantity(text)
    if found is None or found.value.denominator != 1 or found.value <= 0:
        raise RequestError(
            f"--memory {text} is no amount of memory.",
            why="It is a number of bytes with a unit, of Ki, Mi, Gi, Ti, k, M, G and T.",
            fix="Write 8Gi or 500Mi.",
        )
    if not _SMALLEST_MEMORY <= found.value <= _LARGEST_MEMORY:
        raise RequestError(
            f"--memory {text} is {human_bytes(found.value)}.",
            why=f"A run needs {human_bytes(_SMALLEST_MEMORY)} at the very least, and no machine has a pebibyte.",
            fix=f"Did you mean {text.rstrip('m')}Gi?" if text.rstrip("m").isdecimal() else "Write 8Gi, say.",
        )
    return found


def human_bytes(amount: Fraction | int) -> str:
    """An amount of memory for people: ``1.5 GiB``."""
    for unit, name in ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if amount >= unit:
            return f"{float(amount / unit):.3g} {name}"
    return f"{float(amount):.3g} bytes"
