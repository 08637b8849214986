"""Kubernetes quantities of CPU and memory: ``500m``, ``2``, ``1.5``, ``8Gi``, ``4G``."""

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

_MIN_MEMORY = 64 << 20
_MAX_MEMORY = 1 << 50
_MAX_CORES = 1024


@dataclass(frozen=True, slots=True)
class Quantity:
    """Resource quantity.

    Attributes:
        text: The quantity as it was given and as manifests contain it.
        value: Its value in base units (cores, bytes).
    """

    text: str
    value: Fraction

    def __str__(self) -> str:
        return self.text

    @property
    def at_least_one(self) -> int:
        """The value rounded down, at least 1."""
        return max(1, math.floor(self.value))


def parse_quantity(text: str) -> Quantity | None:
    """Parse a quantity; None if the text is not one."""
    found = _QUANTITY.fullmatch(text.strip())
    return None if found is None else Quantity(text.strip(), Fraction(found[1]) * _UNITS[found[2]])


def parse_cpu(text: str, *, option: str = "--cpu") -> Quantity:
    """Parse a number of cores.

    Raises:
        RequestError: It is not a number, is finer than a thousandth of a core, or larger than any machine.
    """
    found = parse_quantity(text)
    if found is None or (found.value * 1000).denominator != 1 or not 0 < found.value <= _MAX_CORES:
        raise RequestError(
            f"{option} {text} is not a number of cores.",
            why=f"It is a number up to {_MAX_CORES}, in steps of a thousandth.",
            fix="Write 4, 1.5 or 500m.",
        )
    return found


def parse_memory(text: str) -> Quantity:
    """Parse an amount of memory.

    Raises:
        RequestError: It is not an amount, or so small or large that its unit is probably missing or wrong.
    """
    found = parse_quantity(text)
    if found is None or found.value.denominator != 1 or found.value <= 0:
        raise RequestError(
            f"--memory {text} is not an amount of memory.",
            why="The form is a number of bytes with a unit: Ki, Mi, Gi, Ti, k, M, G or T.",
            fix="Write 8Gi or 500Mi.",
        )
    if not _MIN_MEMORY <= found.value <= _MAX_MEMORY:
        raise RequestError(
            f"--memory {text} is {format_bytes(found.value)}.",
            why=f"A run needs {format_bytes(_MIN_MEMORY)} at the very least, and no machine has a pebibyte.",
            fix=f"Did you mean {text.rstrip('m')}Gi?" if text.rstrip("m").isdecimal() else "Write 8Gi, say.",
        )
    return found


def parse_storage(text: str) -> Quantity:
    """Parse an amount of a node's disk.

    Raises:
        RequestError: It is not an amount.
    """
    found = parse_quantity(text)
    if found is None or found.value.denominator != 1 or found.value <= 0:
        raise RequestError(
            f"--ephemeral-storage {text} is not an amount of disk.",
            why="The form is a number of bytes with a unit: Mi, Gi, Ti, M, G or T.",
            fix="Write 20Gi, say.",
        )
    return found


def format_bytes(amount: Fraction | int) -> str:
    """Format an amount of memory: ``1.5 GiB``."""
    for unit, name in ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if amount >= unit:
            return f"{float(amount / unit):.3g} {name}"
    return f"{float(amount):.3g} bytes"
