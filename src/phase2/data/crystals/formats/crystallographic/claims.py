"""What a CIF says about its space group besides the operators: Hall symbol, Hermann-Mauguin symbol, number, setting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import gemmi

from phase2.data.crystals.formats.crystallographic.block import Block
from phase2.data.crystals.formats.crystallographic.group import Group, group_of

_HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
_HERMANN_MAUGUIN = (
    "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_name_h-m_full",
    "_space_group_name_h-m_ref",
    "_space_group_name_h-m",
    "_symmetry_space_group_name_h-m_full",
)
_NUMBERS = ("_space_group_it_number", "_symmetry_int_tables_number")
_SETTING_CODE = "_space_group_it_coordinate_system_code"
_CODES = frozenset({"1", "2", "r", "h"})
# P 21/c as P 2(1)/c, P 2~1~/c, P 2_1/c; F m -3 m (225), F m -3 m (No. 225).
_MARKUP = re.compile(r"[~_]|\((\d)\)|\s*\((?:[Nn]o\.?\s*)?\d{2,3}\)$")
# Endings by which ICSD and others name a setting: origin choices 1 and 2, rhombohedral and hexagonal axes.
_ENDINGS = {"S": "1", "Z": "2", "R": "R", "H": "H"}


@dataclass(frozen=True, slots=True)
class Claim:
    """Statement about the space group.

    Attributes:
        name: Data name as written.
        text: Value as written.
        makes: Groups that it means, the settings that it leaves open.
        allows: Groups that contradict it in nothing.
        exact: Whether it says where the origin is.
        number: Number of the space group, 0 where unknown.
        by_number: Whether it is the number alone, which leaves every setting of the space group open.
    """

    name: str
    text: str
    makes: tuple[Group, ...]
    allows: tuple[Group, ...]
    exact: bool
    number: int
    by_number: bool = False

    def holds_for(self, group: Group) -> bool:
        """Tell whether a group is one that the statement allows."""
        if self.exact:
            return any(allowed.key == group.key for allowed in self.allows)
        return any(allowed.equals_up_to_origin(group) for allowed in self.allows)

    def __str__(self) -> str:
        return f"{self.name} is '{self.text}'"


def read_claims(block: Block) -> tuple[list[Claim], list[str]]:
    """Return the statements about the space group, the most exact first, and those that are not understood.

    Raises:
        InvalidCrystalError: A number is that of no space group, or a setting is stated in two ways.
    """
    claims, unknown = [], []
    code = next((text for _, text in block.stated(_SETTING_CODE)), "")
    for name, text in block.stated(*_HALL):
        claim = _hall(name, text)
        claims += [claim] if claim else []
        unknown += [] if claim else [f"{name} is '{text}'"]
    for name, text in block.stated(*_HERMANN_MAUGUIN):
        claim = _symbol(name, text, code)
        setting = text.rpartition(":")[2].strip().lower() if ":" in text else ""
        if claim and setting and code and {setting, code.lower()} <= _CODES and setting != code.lower():
            raise block.error(
                f"its symmetry contradicts itself: {claim}, and {block.names[_SETTING_CODE]} is '{code}'.",
                "Write the setting of these sites.",
            )
        claims += [claim] if claim else []
        unknown += [] if claim else [f"{name} is '{text}'"]
    claims += list(_numbers(block, code))
    return claims, unknown


def _hall(name: str, text: str) -> Claim | None:
    group = _hall_group(text)
    if group is None:
        return None
    return Claim(
        name, text, (group,), (group,), exact=True, number=group.table_entry.number if group.table_entry else 0
    )


@lru_cache(maxsize=1024)
def _hall_group(text: str) -> Group | None:
    try:
        return Group(gemmi.symops_from_hall(text.replace("_", " ")))
    except (RuntimeError, ValueError):
        return None


@lru_cache(maxsize=1024)
def _symbol(name: str, text: str, code: str) -> Claim | None:
    symbol = _MARKUP.sub(lambda match: match[1] or "", text).strip()
    base, _, ending = symbol.rpartition(" ") if " " in symbol else (symbol[:-1], "", symbol[-1:])
    entry = gemmi.find_spacegroup_by_name(symbol) or (
        gemmi.find_spacegroup_by_name(f"{base}:{_ENDINGS[ending]}") if ending in _ENDINGS and base else None
    )
    if entry is None:
        return None
    is_open = ":" not in symbol and ending not in _ENDINGS and not symbol.startswith("H")
    family = _family(entry) if is_open else (entry,)
    chosen = tuple(one for one in family if code and one.ext.lower() == code.lower()) or family
    makes = tuple(group_of(one.xhm()) for one in chosen)
    axes = tuple(group_of(one.xhm()) for one in _other_axes(entry, symbol)) if len(chosen) > 1 or is_open else ()
    exact = (not is_open or len(chosen) < len(family)) and entry.ext.strip("\0 ") != ""
    return Claim(name, text, makes, (*makes, *axes), exact=exact, number=entry.number)


def _numbers(block: Block, code: str) -> Iterator[Claim]:
    for name, text in block.stated(*_NUMBERS):
        number = gemmi.cif.as_number(text)
        entry = gemmi.find_spacegroup_by_number(int(number)) if number in range(1, 231) else None
        if entry is None:
            raise block.error(f"{name} is '{text}', expected the number of a space group, 1 to 230.")
        yield _number(name, text, int(number), code)


@lru_cache(maxsize=1024)
def _number(name: str, text: str, number: int, code: str) -> Claim:
    entries = tuple(one for one in gemmi.spacegroup_table() if one.number == number)
    coded = [one for one in entries if code and code.lower() in {one.ext.lower(), one.qualifier.lower()}]
    reference = gemmi.get_spacegroup_reference_setting(number)
    standard = _family(reference)
    others = [one for one in entries if one not in standard and _is_tabulated(one, reference)]
    makes = tuple(group_of(one.xhm()) for one in coded or (*standard, *others))
    every = tuple(group_of(one.xhm()) for one in entries)
    return Claim(name, text, makes, every, exact=False, number=number, by_number=True)


def _is_tabulated(entry: gemmi.SpaceGroup, reference: gemmi.SpaceGroup) -> bool:
    """Tell settings of International Tables, volume A, from the further centrings and cells that gemmi knows."""
    axes, choice = _setting(entry)
    return bool(axes) and (choice in {"1", "2", "3"} if _setting(reference)[1] else not choice)


def _setting(entry: gemmi.SpaceGroup) -> tuple[str, str]:
    """Return the axes of a setting and its cell choice: those of ``b1`` are b and 1."""
    qualifier = entry.qualifier.strip("\0 ")
    axes = qualifier.rstrip("0123456789")
    return axes, qualifier[len(axes) :]


def _family(entry: gemmi.SpaceGroup) -> tuple[gemmi.SpaceGroup, ...]:
    """Return the settings with one symbol, which differ in origin choice or in rhombohedral and hexagonal axes."""
    return tuple(one for one in gemmi.spacegroup_table() if one.number == entry.number and one.hm == entry.hm)


def _other_axes(entry: gemmi.SpaceGroup, symbol: str) -> list[gemmi.SpaceGroup]:
    """Return the monoclinic settings with the same short symbol: P 2/m is P 1 2/m 1, P 1 1 2/m or P 2/m 1 1."""
    short = _without_ones(entry.hm)
    if "1" in symbol.split() or symbol.replace(" ", "").lower() != short.replace(" ", "").lower():
        return []
    return [
        one
        for one in gemmi.spacegroup_table()
        if one.number == entry.number and one.hm != entry.hm and _without_ones(one.hm) == short
    ]


def _without_ones(symbol: str) -> str:
    return " ".join(part for part in symbol.split() if part != "1")
