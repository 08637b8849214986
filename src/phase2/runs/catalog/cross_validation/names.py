"""Ids of the runs of a cross-validation, which has its name before their numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from phase2.runs.catalog.scan import run_prefixes
from phase2.runs.identity import run_id_of
from phase2.storage.base import Store

_MEMBER = re.compile(r"(.+)-([0-9]{1,3})")


def ids_of(names: Sequence[str], store: Store) -> tuple[list[str], str]:
    """Return the ids of runs that are named one by one or by their cross-validation, and the name of that.

    Args:
        names: Ids, or names of which runs ``NAME-0``, ``NAME-1``, ... are in the store.
        store: The store.
    """
    known = {run_id_of(prefix) for prefix in run_prefixes(store)}
    members: dict[str, list[tuple[int, str]]] = {}
    for run_id in known:
        if found := _MEMBER.fullmatch(run_id):
            members.setdefault(found[1], []).append((int(found[2]), run_id))
    ids: list[str] = []
    for name in names:
        ids += [name] if name in known or name not in members else [run_id for _, run_id in sorted(members[name])]
    first = _MEMBER.fullmatch(ids[0])
    return list(dict.fromkeys(ids)), first[1] if first else ids[0]
