"""Units of measurement: how a number in one unit is written in another.

Factors are exact fractions of the SI's definitions and of CODATA 2022, so that a power of ten stays one. An energy per
atom is not an energy: ``atom``, ``cell`` and ``fu`` (formula unit) count as dimensions, while ``mol`` is a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from types import MappingProxyType

from phase2.errors import DataError

_Dimensions = tuple[int, ...]  # powers of kg, m, s, A, K, atom, cell, fu
_NUMBER: _Dimensions = (0,) * 8


@dataclass(frozen=True, slots=True)
class _Unit:
    """A unit: so many of the SI's, of these dimensions."""

    size: Fraction
    dimensions: _Dimensions = _NUMBER

    def __mul__(self, other: _Unit) -> _Unit:
        powers = tuple(a + b for a, b in zip(self.dimensions, other.dimensions, strict=True))
        return _Unit(self.size * other.size, powers)

    def __pow__(self, power: int) -> _Unit:
        return _Unit(self.size**power, tuple(power * a for a in self.dimensions))

    def times(self, number: str) -> _Unit:
        return _Unit(self.size * Fraction(number), self.dimensions)


_KG, _M, _S, _A, _K, _ATOM, _CELL, _FU = (
    _Unit(Fraction(1), tuple(int(k == axis) for k in range(len(_NUMBER)))) for axis in range(len(_NUMBER))
)
_ONE = _Unit(Fraction(1))
_N = _KG * _M * _S**-2
_J, _PA, _C = _N * _M, _N * _M**-2, _A * _S
_EV = _J.times("1.602176634e-19")
_V = _J * _C**-1
_T = _V * _S * _M**-2
_PSI = _PA * _Unit(Fraction("4.4482216152605") / Fraction("0.0254") ** 2)

_SYMBOLS: Mapping[str, _Unit] = MappingProxyType({
    "": _ONE, "1": _ONE, "-": _ONE, "none": _ONE, "dimensionless": _ONE, "unitless": _ONE, "%": _ONE.times("1e-2"),
    "atom": _ATOM, "atoms": _ATOM, "at": _ATOM, "cell": _CELL, "fu": _FU, "f.u.": _FU,
    "mol": _ONE.times("6.02214076e23"), "mole": _ONE.times("6.02214076e23"),
    "eV": _EV, "meV": _EV.times("1e-3"), "ueV": _EV.times("1e-6"), "keV": _EV.times("1e3"),
    "Ha": _EV.times("27.211386245981"), "Hartree": _EV.times("27.211386245981"),
    "Eh": _EV.times("27.211386245981"), "mHa": _EV.times("0.027211386245981"),
    "Ry": _EV.times("13.6056931229905"), "Rydberg": _EV.times("13.6056931229905"),
    "mRy": _EV.times("0.0136056931229905"),
    "J": _J, "mJ": _J.times("1e-3"), "kJ": _J.times("1e3"), "cal": _J.times("4.184"), "kcal": _J.times("4184"),
    "Pa": _PA, "kPa": _PA.times("1e3"), "MPa": _PA.times("1e6"), "GPa": _PA.times("1e9"), "TPa": _PA.times("1e12"),
    "bar": _PA.times("1e5"), "kbar": _PA.times("1e8"), "Mbar": _PA.times("1e11"), "atm": _PA.times("101325"),
    "N": _N, "C": _C, "mC": _C.times("1e-3"), "uC": _C.times("1e-6"), "nC": _C.times("1e-9"), "pC": _C.times("1e-12"),
    "e": _C.times("1.602176634e-19"), "A": _A, "mA": _A.times("1e-3"), "V": _V, "mV": _V.times("1e-3"),
    "kV": _V.times("1e3"), "MV": _V.times("1e6"), "S": _A * _V**-1, "Ohm": _V * _A**-1, "W": _J * _S**-1,
    "mW": _J.times("1e-3") * _S**-1, "uW": _J.times("1e-6") * _S**-1,
    "K": _K, "mK": _K.times("1e-3"), "uK": _K.times("1e-6"),
    "m": _M, "dm": _M.times("1e-1"), "cm": _M.times("1e-2"), "mm": _M.times("1e-3"), "um": _M.times("1e-6"),
    "nm": _M.times("1e-9"), "pm": _M.times("1e-12"), "km": _M.times("1e3"), "Ang": _M.times("1e-10"),
    "Angstrom": _M.times("1e-10"), "Bohr": _M.times("5.29177210544e-11"),
    "s": _S, "ms": _S.times("1e-3"), "us": _S.times("1e-6"), "ns": _S.times("1e-9"), "ps": _S.times("1e-12"),
    "fs": _S.times("1e-15"), "Hz": _S**-1, "kHz": _S.times("1e-3") ** -1, "MHz": _S.times("1e-6") ** -1,
    "GHz": _S.times("1e-9") ** -1, "THz": _S.times("1e-12") ** -1,
    "kg": _KG, "g": _KG.times("1e-3"), "mg": _KG.times("1e-6"), "muB": (_A * _M**2).times("9.2740100657e-24"),
    "T": _T, "Tesla": _T, "Gauss": _T.times("1e-4"), "Wb": _T * _M**2, "Weber": _T * _M**2,
    "Henry": _T * _M**2 * _A**-1, "Oe": (_A * _M**-1).times("79.57747154594767"), "emu": (_A * _M**2).times("1e-3"),
    "F": _C * _V**-1, "Farad": _C * _V**-1, "Debye": (_C * _M).times("3.3356409519815204e-30"),
    "amu": _KG.times("1.66053906892e-27"), "Da": _KG.times("1.66053906892e-27"),
    "kB": (_J * _K**-1).times("1.380649e-23"), "erg": _J.times("1e-7"), "dyn": _N.times("1e-5"),
    "Torr": _PA * _Unit(Fraction(101325, 760)), "psi": _PSI, "ksi": _PSI.times("1e3"), "Msi": _PSI.times("1e6"),
    "Ah": _C.times("3600"), "Wh": _J.times("3600"), "ppm": _ONE.times("1e-6"), "ppb": _ONE.times("1e-9"),
})  # fmt: skip
"""Units that are read whatever their case, where that leaves one meaning; with other prefixes they have to be exact."""

_PREFIXES = MappingProxyType({
    "q": -30, "r": -27, "y": -24, "z": -21, "a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "d": -1,
    "da": 1, "h": 2, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18, "Z": 21, "Y": 24, "R": 27, "Q": 30,
})  # fmt: skip
_COMMON = frozenset("fpnumcdkMGT")
"""Prefixes that go before another case of a known symbol: MJ is no mJ, but EV is eV."""
_PREFIXED = frozenset({
    "eV", "Ha", "Ry", "J", "cal", "Pa", "bar", "N", "C", "A", "V", "S", "Ohm", "W", "K", "m", "s", "Hz", "g", "mol",
    "muB", "T", "F", "Oe", "Wb", "emu", "Ah", "Wh",
})  # fmt: skip
_NEVER_LARGE = frozenset({"m", "s", "g"})
"""Units that take no prefix beyond kilo: Tm, Ts and Eg are other quantities, and Mg is magnesium."""
_DOUBTED = frozenset({"MeV", "mPa", "mbar", "mHz", "kT"})
"""Symbols that are more often a slip of meV, MPa, Mbar and MHz than what they say; kT is a thermal energy."""

_CASELESS = MappingProxyType({symbol.lower(): symbol for symbol in _SYMBOLS})
_COLLIDING = frozenset(
    {
        "mev",
        "mpa",
        "mbar",
        "ms",
        "mv",
        "mhz",
        "pa",
        "s",
        "a",
        "c",
        "n",
        "k",
        "v",
        "e",
        "m",
        "g",
        "w",
        "nm",
        "mm",
        "uc",
        "t",
        "f",
        "kb",
    }
)
"""Symbols of which another case means another unit, such as the factor of a billion from meV to MeV."""

_SPELLINGS = MappingProxyType({
    "k_B": "kB",
    "\u00b5": "u", "\u03bc": "u", "\u212b": "Ang", "\u00c5": "Ang", "\u2126": "Ohm", "\u03a9": "Ohm", "**": "^",
    "\u00b7": " ", "\u22c5": " ", "\u2212": "-", "\u2013": "-", "\u00d7": "*", "\u00b2": "2", "\u00b3": "3",
    "\u207b": "-", "\u00b9": "1", "\u2070": "0", "\u2074": "4",
})  # fmt: skip
_LONGEST = 80
_ANGSTROM = re.compile(r"(?<![A-Za-z])A(?=\s*\^?[+-]?[23](?!\d))")
"""Areas and volumes are written in ``A^2`` and ``A^3``, which nobody means in ampere."""
_MAGNETON = re.compile(
    r"(?:(?:(?<![A-Za-z])m?u|[\u00b5\u03bc])[ _]?B|(?<![A-Za-z])[Bb]ohr[ _-]?[Mm]agnetons?)(?![A-Za-z])"
)
_MOLE_OF_ATOMS = re.compile(r"\b(mol|mole)[ \-_*]*(?:of +)?(atoms?)\b")
_PER = re.compile(r"(?<![A-Za-z])per(?![A-Za-z])")
_TOKEN = re.compile(
    r"\s*(?:(?P<symbol>[A-Za-z%][A-Za-z.]*)\^?(?P<power>[+-]?\d+)?|(?P<one>1)(?![\d.,^])|(?P<sign>[*/()]))"
)
"""A number other than 1 is none of them: 10 GPa is no unit, and 10 is not 1 to the power of zero."""
_GAP = re.compile(r"[\s_]*-?(?!\d)[\s_]*")


def conversion_factor(given: str, wanted: str) -> float:
    """Return the number that values in one unit are multiplied by to be in another.

    Args:
        given: The unit of the values, such as ``meV/atom``, ``kbar``, ``uC/cm^2`` or ``J mol-1 K-1``. The angstrom is
            ``Ang``, or ``A`` with the power 2 or 3; ``A`` alone is the ampere.
        wanted: The unit that they are to have.

    Raises:
        DataError: A unit is not known, or one cannot be converted to the other.

    Example:
        >>> conversion_factor("meV/atom", "eV/atom"), conversion_factor("kbar", "GPa")
        (0.001, 0.1)
    """
    if given.strip() == wanted.strip():
        return 1.0
    source, target = _parse(given), _parse(wanted)
    if source.dimensions != target.dimensions:
        raise _incompatible(given, wanted, source, target)
    return float(source.size / target.size)


def is_unit(text: str) -> bool:
    """Tell whether a text is a unit that can be converted."""
    try:
        _parse(text)
    except DataError:
        return False
    return True


def counted_per(text: str) -> str | None:
    """Return what a unit says that values are counted per: ``atom``, ``cell`` or ``fu``; None if nothing.

    Example:
        >>> counted_per("meV/atom"), counted_per("GPa")
        ('atom', None)
    """
    if not is_unit(text):
        return None
    counts = zip(("atom", "cell", "fu"), _parse(text).dimensions[5:], strict=True)
    return next((name for name, power in counts if power == -1), None)


def _parse(text: str) -> _Unit:
    plain = _MAGNETON.sub("muB", text.strip()[:_LONGEST])
    for spelling, meaning in _SPELLINGS.items():
        plain = plain.replace(spelling, meaning)
    if plain in _SYMBOLS:
        return _SYMBOLS[plain]
    plain = _ANGSTROM.sub("Ang", plain)
    plain = _MOLE_OF_ATOMS.sub(r"(\1 \2)", _PER.sub("/", plain.replace("_", " ")))
    return _Parser(text, plain).read()


class _Parser:
    """Reader of one unit; factors that only a gap separates belong together: ``J/mol K`` is J/(mol K)."""

    def __init__(self, shown: str, text: str) -> None:
        self._shown = shown
        self._text = text
        self._at = 0

    def read(self) -> _Unit:
        unit = self._product()
        if self._text[self._at :].strip():
            raise self._unknown(self._text[self._at :].strip())
        return unit

    def _product(self) -> _Unit:
        unit = self._group()
        while (sign := self._text[self._at :].lstrip()[:1]) in {"*", "/"} and sign:
            self._at = self._text.index(sign, self._at) + 1
            unit = unit * self._group() ** (1 if sign == "*" else -1)
        return unit

    def _group(self) -> _Unit:
        factors = [self._factor()]
        while True:
            gap = _GAP.match(self._text, self._at)
            end = gap.end() if gap else self._at
            if not self._text[end : end + 1].isalpha() and self._text[end : end + 1] != "(":
                return prod(factors, start=_ONE)
            self._at = end
            factors.append(self._factor())

    def _factor(self) -> _Unit:
        found = _TOKEN.match(self._text, self._at)
        if found is None or (found["sign"] or "(") != "(":
            raise self._unknown(self._text[self._at :].strip() or self._shown)
        self._at = found.end()
        if found["one"]:
            return _ONE
        if found["symbol"]:
            return self._symbol(found["symbol"]) ** self._power(found["power"])
        unit = self._product()
        if self._text[self._at : self._at + 1] != ")":
            raise self._unknown(self._text[self._at :] or self._shown)
        self._at += 1
        return unit

    def _power(self, text: str | None) -> int:
        power = int(text or 1)
        if abs(power) > 9:
            raise self._unknown(self._shown)
        return power

    def _symbol(self, symbol: str) -> _Unit:
        if symbol in _SYMBOLS:
            return _SYMBOLS[symbol]
        name = _CASELESS.get(symbol.lower())
        found = _with_prefix(symbol, is_like_known=name is not None)
        if found is None and name is not None and symbol.lower() not in _COLLIDING:
            found = _SYMBOLS[name]
        if found is None:
            raise self._unknown(symbol)
        return found

    def _unknown(self, part: str) -> DataError:
        near = [symbol for symbol in _SYMBOLS if symbol.lower() == part.lower()]
        about = f"'{part[:40]}' in it" if part != self._shown.strip() else "It"
        return DataError(
            f"'{self._shown[:_LONGEST]}' is no unit that phase2 converts.",
            why=f"{about} is not known." + (f" Do you mean {' or '.join(near)}?" if near else ""),
            fix="Write it with the symbols of the SI, eV, Ry, Ha, bar and Ang, such as meV/atom, kbar or uC/cm^2.",
        )


def _with_prefix(symbol: str, *, is_like_known: bool) -> _Unit | None:
    """Return the unit of a symbol with a prefix of the SI; None where it is none, or its meaning is open."""
    if symbol in _DOUBTED:
        return None
    for prefix, exponent in _PREFIXES.items():
        base = symbol.removeprefix(prefix)
        if not symbol.startswith(prefix) or base not in _PREFIXED or (is_like_known and prefix not in _COMMON):
            continue
        if exponent <= 3 or base not in _NEVER_LARGE:
            return _SYMBOLS[base] * _Unit(Fraction(10) ** exponent)
    return None


def _incompatible(given: str, wanted: str, source: _Unit, target: _Unit) -> DataError:
    why = "They measure different things."
    fix = f"Convert the values to '{wanted or 'no unit'}' yourself."
    counts = slice(5, None)
    if source.dimensions[:5] == target.dimensions[:5]:
        per = {"atom": "per atom", "cell": "per cell", "fu": "per formula unit"}
        missing = [
            word for word, a, b in zip(per.values(), source.dimensions[counts], target.dimensions[counts], strict=True)
            if a != b
        ]  # fmt: skip
        why = f"They differ in what is {' and '.join(missing)}, which depends on the crystal."
        fix = f"Convert the values to '{wanted}' yourself, or write what they are: 'kJ/mol/atom' is per mole of atoms."
    return DataError(f"'{given}' cannot be converted to '{wanted or 'a number without a unit'}'.", why=why, fix=fix)
