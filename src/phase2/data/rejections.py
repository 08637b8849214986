"""Rejected records in few words: how many there are, and for which reasons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from phase2.data.crystals.shown import cut
from phase2.data.graphs.packing import Rejection

_SHOWN = 3
_VARIABLE = re.compile(r"'[^']*'|\"[^\"]*\"|(?<![A-Za-z])[-+]?\d[\d,.]*(?:[eE][-+]?\d+)?|/\S+")
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class RejectionGroup:
    """Records that were rejected for the same reason.

    Attributes:
        reason: The reason, as that of the first record says it.
        count: Number of records.
        ids: Their names, of which the first may be shown.
    """

    reason: str
    count: int
    ids: tuple[str, ...]


def group_rejections(rejected: Sequence[Rejection]) -> list[RejectionGroup]:
    """Group rejected records by their reasons, the most frequent first; names, paths and numbers do not count."""
    groups: dict[str, list[Rejection]] = {}
    for one in rejected:
        groups.setdefault(_VARIABLE.sub("_", one.reason.replace(one.id, "_")), []).append(one)
    found = [RejectionGroup(g[0].reason, len(g), tuple(one.id for one in g)) for g in groups.values()]
    return sorted(found, key=lambda group: -group.count)


def rejection_notes(rejected: Sequence[Rejection], where: str) -> list[str]:
    """Say how many records were rejected, and the most frequent reasons, one line each.

    Args:
        rejected: The rejected records.
        where: Where all reasons are listed.
    """
    if not rejected:
        return []
    groups = group_rejections(rejected)
    verb = "record is" if len(rejected) == 1 else "records are"
    notes = [f"{len(rejected):,} {verb} no valid crystal; all reasons: {where}"]
    notes += [f"  {group.count:,} such as {group.ids[0]}: {cut(group.reason, _LONGEST)}" for group in groups[:_SHOWN]]
    if len(groups) > _SHOWN:
        notes.append(f"  and {len(groups) - _SHOWN} further reasons")
    return notes
