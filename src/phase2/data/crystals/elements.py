"""Chemical symbols and atomic numbers, without importing a chemistry library."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable
from math import gcd

_PERIODIC_TABLE = """
H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr
Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir
Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl
Mc Lv Ts Og
"""

SYMBOLS: tuple[str, ...] = tuple(_PERIODIC_TABLE.split())

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
