"""Formulas as a CIF writes them: ``C12 H22 O11``."""

from __future__ import annotations

import re

import gemmi

from phase2.data.crystals.elements import ATOMIC_NUMBERS, symbol_of

_FORMULA = re.compile(r"(?:[A-Z][a-z]?\d*\.?\d*\s*)+", re.ASCII)
_PART = re.compile(r"([A-Z][a-z]?)(\d*\.?\d*)", re.ASCII)


def amounts_of(formula: str) -> dict[str, float]:
    """Return the amounts of the elements of a formula, empty where it is not understood."""
    if not _FORMULA.fullmatch(formula):
        return {}
    amounts: dict[str, float] = {}
    for symbol, amount in _PART.findall(formula):
        if symbol not in ATOMIC_NUMBERS:
            return {}
        value = gemmi.cif.as_number(amount) if amount else 1.0
        amounts[plain_symbol(symbol)] = amounts.get(plain_symbol(symbol), 0.0) + value
    return {symbol: amount for symbol, amount in amounts.items() if amount > 0}


def plain_symbol(symbol: str) -> str:
    """Return the symbol of an element, that of hydrogen for its isotopes."""
    return symbol_of(ATOMIC_NUMBERS[symbol])
