"""Chemical symbols and atomic numbers, without importing a chemistry library."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable
from math import gcd

from phase2.config.data.elements import SYMBOLS

__all__ = ["ATOMIC_NUMBERS", "SYMBOLS", "nearest_symbol", "reduced_formula", "symbol_of"]

# Isotopes of hydrogen have its electrons, and the properties here are electronic: D and T are read as H.
ATOMIC_NUMBERS: dict[str, int] = {symbol: z for z, symbol in enumerate(SYMBOLS, start=1)} | {"D": 1, "T": 1}


def symbol_of(number: int) -> str:
    """Return the chemical symbol of an atomic number between 1 and 118."""
    return SYMBOLS[number - 1]


def nearest_symbol(text: str) -> str | None:
    """Return the symbol closest to a misspelt one (``fe``, ``Si4+``, ``SI``), for error messages."""
    letters = "".join(c for c in text if c.isalpha()).capitalize()
    if letters in ATOMIC_NUMBERS:
        return letters
    nearest = difflib.get_close_matches(letters, SYMBOLS, n=1, cutoff=0.5)
    return nearest[0] if nearest else None


def reduced_formula(numbers: Iterable[int]) -> str:
    """Return the formula of the smallest whole-number composition, elements in alphabetical order.

    >>> reduced_formula([8, 26, 26, 8, 8, 26, 26, 8, 8, 8])
    'Fe2O3'
    """
    counts = Counter(numbers)
    divisor = gcd(*counts.values())
    amounts = sorted((SYMBOLS[z - 1], count // divisor) for z, count in counts.items())
    return "".join(symbol if count == 1 else f"{symbol}{count}" for symbol, count in amounts)
