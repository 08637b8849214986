"""The periodic table as rows and columns."""

from __future__ import annotations

from dataclasses import dataclass

_ROWS = """
H  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  He
Li Be .  .  .  .  .  .  .  .  .  .  B  C  N  O  F  Ne
Na Mg .  .  .  .  .  .  .  .  .  .  Al Si P  S  Cl Ar
K  Ca Sc Ti V  Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr
Rb Sr Y  Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I  Xe
Cs Ba La Hf Ta W  Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn
Fr Ra Ac Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
.  .  .  Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu .
.  .  .  Th Pa U  Np Pu Am Cm Bk Cf Es Fm Md No Lr .
"""
HEADINGS = ("1", "2", "3", "4", "5", "6", "7", "lanthanides", "actinides")


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of the table.

    Attributes:
        heading: Its period, or the name of the series.
        symbols: Symbol of each of the 18 columns; empty where there is none.
    """

    heading: str
    symbols: tuple[str, ...]


ROWS = tuple(
    TableRow(heading, tuple("" if symbol == "." else symbol for symbol in line.split()))
    for heading, line in zip(HEADINGS, _ROWS.strip().splitlines(), strict=True)
)

_LANTHANIDES, _ACTINIDES = ROWS[7].symbols, ROWS[8].symbols


def _numbered() -> dict[str, int]:
    found: list[str] = []
    for row in ROWS[:7]:
        series = {"6": _LANTHANIDES, "7": _ACTINIDES}.get(row.heading, ())
        found += [*row.symbols[:3], *series, *row.symbols[3:]]
    return {symbol: number for number, symbol in enumerate(filter(None, found), start=1)}


NUMBERS = _numbered()
"""Atomic number of each element by its symbol."""

SYMBOLS = tuple(NUMBERS)
"""Symbols by atomic number: that of 1 is the first."""
