"""Rejected and remarked records in few words: how many there are, and for which reasons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from phase2.data.crystals.shown import cut
from phase2.data.graphs.packing import Rejection, Remark

_SHOWN = 3
_VARIABLE = re.compile(r"'[^']*'|\"[^\"]*\"|(?<![A-Za-z])[-+]?\d[\d,.]*(?:[eE][-+]?\d+)?|/\S+")
_LONGEST = 300


class HasReason(Protocol):
    """Record that something is said of."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def reason(self) -> str:
        """What is said."""


@dataclass(frozen=True, slots=True)
class ReasonGroup:
    """Records that were rejected, or remarked on, for the same reason.

    Attributes:
        reason: The reason, as that of the first record says it.
        count: Number of records.
        ids: Their names, of which the first may be shown.
    """

    reason: str
    count: int
    ids: tuple[str, ...]


def group_reasons(records: Sequence[HasReason]) -> list[ReasonGroup]:
    """Group records by their reasons, the most frequent first; names, paths and numbers do not count."""
    groups: dict[str, list[HasReason]] = {}
    for one in records:
        groups.setdefault(_VARIABLE.sub("_", one.reason.replace(one.id, "_")), []).append(one)
    found = [ReasonGroup(g[0].reason, len(g), tuple(one.id for one in g)) for g in groups.values()]
    return sorted(found, key=lambda group: -group.count)


def rejection_notes(rejected: Sequence[Rejection], where: str) -> list[str]:
    """Say how many records were rejected, and the most frequent reasons, one line each.

    Args:
        rejected: The rejected records.
        where: Where all reasons are listed.
    """
    if not rejected:
        return []
    verb = "record is" if len(rejected) == 1 else "records are"
    return [f"{len(rejected):,} {verb} no valid crystal; all reasons: {where}", *_shown(rejected)]


def reading_notes(remarks: Sequence[Remark], where: str = "") -> list[str]:
    """Say how many records were read with an assumption, and the most frequent ones, one line each.

    Args:
        remarks: The remarks.
        where: Where all of them are listed, if they are.
    """
    if not remarks:
        return []
    count = len({one.id for one in remarks})
    verb = "record was" if count == 1 else "records were"
    return [f"{count:,} {verb} read with a remark{'; all remarks: ' if where else ''}{where}", *_shown(remarks)]


def _shown(records: Sequence[HasReason]) -> list[str]:
    groups = group_reasons(records)
    notes = [f"  {group.count:,} such as {group.ids[0]}: {cut(group.reason, _LONGEST)}" for group in groups[:_SHOWN]]
    if len(groups) > _SHOWN:
        notes.append(f"  and {len(groups) - _SHOWN} further reasons")
    return notes
