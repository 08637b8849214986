"""Sites that several elements may share: one whole atom each, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from phase2.data.crystals.shown import shown
from phase2.errors import InvalidCrystalError

TOLERANCE = 1e-3
VACANCY = "vacancy"
"""Word of OPTIMADE for what is no atom."""

ORDERED = "Replace the structure by an ordered approximant, or remove it."

_SHOWN = 5


class Occupied(NamedTuple):
    """Sites that hold an atom.

    Attributes:
        sites: Their positions in the list of all sites.
        elements: The element of each.
        remarks: What was left out.
    """

    sites: list[int]
    elements: list[str]
    remarks: tuple[str, ...]


def occupied_sites(crystal_id: str, contents: Sequence[Sequence[tuple[str, float]]]) -> Occupied:
    """Return the sites that hold one whole atom; what has the occupancy 0 is left out and remarked.

    Args:
        crystal_id: Name of the crystal, for messages.
        contents: The elements of each site with their shares.

    Raises:
        InvalidCrystalError: A site is disordered, or none is occupied.
    """
    sites, elements, absent = [], [], []
    for number, content in enumerate(contents):
        if len(content) == 1 and content[0][1] == 1 and content[0][0] != VACANCY:  # as nearly all are
            sites.append(number)
            elements.append(content[0][0])
            continue
        present = [name for name, share in content if name != VACANCY and not abs(share) <= TOLERANCE]
        shares = [share for _, share in content]
        whole = all(min(abs(share), abs(share - 1)) <= TOLERANCE for share in shares)
        if not whole or len(present) > 1 or sum(shares) > 1 + TOLERANCE:
            raise _disordered(crystal_id, number, content)
        absent += [f"{shown(name)} of site {number}" for name, _ in content if name not in (*present, VACANCY)]
        if present:
            sites.append(number)
            elements.append(present[0])
        elif not any(name != VACANCY for name, _ in content):
            absent.append(f"the vacancy at site {number}")
    if contents and not sites:
        raise InvalidCrystalError.of(crystal_id, f"none of its {len(contents)} sites is occupied.")
    return Occupied(sites, elements, _remarks(absent))


def refuse_open_directions(crystal_id: str, periodic: object, name: str = "pbc") -> None:
    """Refuse a structure that is not periodic in all three directions.

    Args:
        crystal_id: Name of the crystal, for messages.
        periodic: What it says of them, three truth values; None where it says nothing.
        name: What it calls them.

    Raises:
        InvalidCrystalError: It is not, or does not say so clearly.
    """
    if periodic is None or periodic is True:
        return
    given = list(periodic) if isinstance(periodic, Sequence) and not isinstance(periodic, str) else None
    if given is None or len(given) != 3 or any(value not in (0, 1) for value in given):
        raise InvalidCrystalError.of(crystal_id, f"its '{name}' is {shown(periodic)}, not three times true or false.")
    if not all(given):
        raise InvalidCrystalError.of(
            crystal_id,
            f"it is periodic in {sum(map(bool, given))} of 3 directions ({name} = {given}), and a crystal is in all.",
            f"Set {name} to true three times if it is a crystal; the models do not cover molecules and slabs.",
        )


def _disordered(crystal_id: str, number: int, content: Sequence[tuple[str, float]]) -> InvalidCrystalError:
    held = " + ".join(f"{share:g} {name}" for name, share in content) or "nothing"
    return InvalidCrystalError.of(
        crystal_id, f"site {number} is disordered: it holds {held}, expected one whole atom.", ORDERED
    )


def _remarks(absent: Sequence[str]) -> tuple[str, ...]:
    if not absent:
        return ()
    more = ", ..." if len(absent) > _SHOWN else ""
    return (f"{len(absent)} atom(s) with the occupancy 0 are left out: {', '.join(absent[:_SHOWN])}{more}",)
