"""Elements of atom sites, from their type symbols or labels, never by a guess."""

from __future__ import annotations

import re

from phase2.data.crystals.elements import ATOMIC_NUMBERS, nearest_symbol
from phase2.data.crystals.formats.crystallographic.block import Block, is_missing, unquoted
from phase2.data.crystals.formats.crystallographic.formula import amounts_of
from phase2.data.crystals.shown import shown

# Fe3+, O2-, Na+, Fe+3, Cl1-, Fe2.5+, Sn0+, Fe3.
_TYPE = re.compile(r"([A-Za-z]{1,2})((?:\d*\.?\d*[+-])|(?:[+-]\d*\.?\d*)|\d*)", re.ASCII)
# The letters of a label up to the first character that is none.
_LABEL = re.compile(r"([A-Za-z]+)(.*)", re.DOTALL | re.ASCII)
_MOLECULES = frozenset({"H2", "D2", "N2", "O2", "F2", "Cl2", "Br2", "I2"})
_WATER = re.compile(r"[23]O(?![a-z])")
_LAST_FOUND = 103
"""Elements beyond have no crystals: a label that begins with their letters means something else."""

_ADD_TYPES = "Write the chemical symbol of each site in a column _atom_site_type_symbol."


def named_elements(block: Block) -> frozenset[str]:
    """Return the elements of the formula of a block, none where it has none that is understood."""
    return frozenset(amounts_of(next((text for _, text in block.stated("_chemical_formula_sum")), "")))


def element(block: Block, label: str, type_symbol: str, formula: frozenset[str]) -> str:
    """Return the chemical symbol of a site.

    Capitals that may mean two elements, such as ``CO``, are read where the dictionary, the formula or the label leaves
    one of them: type symbols of mmCIF are those of one atom each, in capitals.

    Args:
        block: Block of the site.
        label: Label of the site, or its number.
        type_symbol: Type symbol as written, ``?`` without one, where the label decides.
        formula: Elements of its formula.

    Raises:
        InvalidCrystalError: It names no element.
    """
    if is_missing(type_symbol):
        return _from_label(block, label, formula)
    return _from_type(block, label, type_symbol, formula)


def _from_type(block: Block, label: str, type_symbol: str, formula: frozenset[str]) -> str:
    text = unquoted(type_symbol)
    match = _TYPE.fullmatch(text)
    symbol = _symbol(match[1]) if match else None
    proper = match[1].capitalize() if match and match[1].isupper() else ""
    if (
        symbol is None
        and proper in ATOMIC_NUMBERS
        and (block.is_mmcif or proper in formula or re.match(rf"{proper}(?![a-z])", label))
    ):
        symbol = proper
    if symbol is None and proper in ATOMIC_NUMBERS:
        raise block.error(
            f"site {shown(label)} has the type symbol {shown(text)}, which is no chemical element: it may be {proper}, "
            f"or {proper[0]} and {proper[1:].upper()}.",
            f"Write '{proper}', if that is meant, or one site for each atom.",
        )
    if symbol is None or (text in _MOLECULES and text != label):
        nearest = nearest_symbol(text) if symbol is None and text.capitalize() in ATOMIC_NUMBERS else None
        hint = f" Did you mean '{nearest}'?" if nearest else ""
        raise block.error(
            f"site {shown(label)} has the type symbol {shown(text)}, which is no chemical element.{hint}",
            "Write one site with a chemical symbol for each atom.",
        )
    return symbol


def _symbol(letters: str) -> str | None:
    """Return the symbol that letters mean; capitals alone only where they cannot mean two elements."""
    if letters in ATOMIC_NUMBERS:
        return letters
    proper = letters.capitalize()
    two_elements = len(letters) > 1 and all(letter.upper() in ATOMIC_NUMBERS for letter in letters)
    return proper if proper in ATOMIC_NUMBERS and not two_elements else None


def _from_label(block: Block, label: str, formula: frozenset[str]) -> str:
    match = _LABEL.match(label)
    letters, rest = (match[1], match[2]) if match else ("", "")
    if len(letters) > 1 and letters.isupper() and letters.capitalize() in formula:
        return letters.capitalize()
    known = letters in ATOMIC_NUMBERS and letters != "T" and ATOMIC_NUMBERS[letters] <= _LAST_FOUND
    if not known or (letters in {"H", "D"} and _WATER.match(rest)):
        raise block.error(f"site {shown(label)} has no type symbol, and its label names no element.", _ADD_TYPES)
    return letters
