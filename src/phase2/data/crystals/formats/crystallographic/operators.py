"""Symmetry operators that a CIF lists, of the core dictionary and of magnetic structures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import gemmi

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.formats.crystallographic.block import Block, is_missing, unquoted
from phase2.data.crystals.formats.crystallographic.group import Group
from phase2.data.crystals.shown import shown
from phase2.output.wording import counted

_LISTS = (
    ("_space_group_symop_operation_xyz", ""),
    ("_symmetry_equiv_pos_as_xyz", ""),
    ("_space_group_symop_magn_operation_xyz", "_space_group_symop_magn_centering_xyz"),
    ("_space_group_symop_magn_operation_xyz", "_space_group_symop_magn_centring_xyz"),
)
_SUPERSPACE = ("_space_group_symop_ssg_operation_algebraic", "_space_group_symop_magn_ssg_operation_algebraic")


@dataclass(frozen=True, slots=True)
class Operators:
    """Operators as listed.

    Attributes:
        name: Data name of the list.
        group: The group that they are.
        listed: How many are listed.
    """

    name: str
    group: Group
    listed: int

    def __str__(self) -> str:
        entry = self.group.table_entry
        of = f" (those of {entry.xhm()}, number {entry.number})" if entry else ""
        return f"{self.name} lists {counted(len(self.group), 'operator')}{of}"


def read_operators(block: Block, limits: ReadingLimits) -> Operators | None:
    """Read the operators, None without any.

    Raises:
        InvalidCrystalError: One cannot be read, they are no group, or two lists differ.
        LimitExceededError: There are too many.
    """
    if superspace := next((name for name in _SUPERSPACE if block.column(name)), None):
        raise block.error(f"it is a modulated structure ({block.names[superspace]}), not periodic in three directions.")
    found: list[Operators] = []
    for name, centrings in _LISTS:
        written = tuple(unquoted(value) for value in block.column(name) or () if not is_missing(value))
        centred = tuple(unquoted(value) for value in block.column(centrings) or () if not is_missing(value))
        listed = len(written) * max(1, len(centred))
        _check_count(block, listed, limits)
        if written and (not centrings or centred or not found):
            found.append(Operators(block.names[name], _checked(block, _parsed(block, written, centred), name), listed))
    for other in found[1:]:
        if other.group.key != found[0].group.key:
            raise block.error(f"its symmetry contradicts itself: {found[0]}, and {other}.")
    return found[0] if found else None


def _check_count(block: Block, count: int, limits: ReadingLimits) -> None:
    if count > limits.symmetry_operators:
        found = f"it has {count:,} symmetry operators"
        raise limits.exceeded("symmetry_operators", f"Crystal '{block.crystal_id}'", found)


def _parsed(block: Block, written: tuple[str, ...], centrings: tuple[str, ...]) -> Group:
    try:
        return _group(written, centrings)
    except (RuntimeError, ValueError) as error:
        raise block.error(
            f"a symmetry operator cannot be read: {shown(str(error))}.", "Write operators as in 'x, y+1/2, -z'."
        ) from error


@lru_cache(maxsize=256)
def _group(written: tuple[str, ...], centrings: tuple[str, ...]) -> Group:
    operations = [_operation(text) for text in written]
    centred = [_operation(text) for text in centrings] or [gemmi.Op("x,y,z")]
    return Group(centring * operation for centring in centred for operation in operations)


def _operation(text: str) -> gemmi.Op:
    """Parse an operator, without the time reversal of a magnetic one."""
    parts = text.split(",")
    spatial = parts[:3] if len(parts) == 4 and parts[3].strip() in {"+1", "-1", "1", "m", "p"} else parts
    return gemmi.Op(",".join(spatial))


def _checked(block: Block, group: Group, name: str) -> Group:
    missing = group.missing
    if missing or not group.integral:
        more = f": their products are {missing} more" if missing > 0 else ""
        raise block.error(
            f"the {len(group)} symmetry operators in {block.names[name]} are no group{more}.",
            "Write all operators of the space group.",
        )
    return group
