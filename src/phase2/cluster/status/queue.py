"""Why Kueue has not admitted a Job or a pod, read from the events of its Workload. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from phase2.cluster.manifests.run_object import QUEUE_LABEL
from phase2.cluster.objects import Object, last_seen, name_of, namespace_of
from phase2.cluster.status.obstacles import flat

_WORKLOAD = "Workload"
_REASONS = ("Pending", "EvictedDueToPreempted")
_HASH = "-[0-9a-f]{5}"


def admission_message(obj: Object, events: Sequence[Object], *, kind: str = "pod") -> str | None:
    """Return that an object waits for its queue, and why; None if it is in no queue.

    Kueue makes a Workload for each Job or pod, named after the kind and the name of that object and a hash, and says in
    events about the Workload why it is not admitted.

    Args:
        obj: The Job or pod.
        events: Events of its namespace.
        kind: ``job`` or ``pod``.
    """
    queue = (obj["metadata"].get("labels") or {}).get(QUEUE_LABEL)
    if not queue:
        return None
    workload = re.compile(re.escape(f"{kind}-{name_of(obj)}") + _HASH)
    found = [event for event in events if _is_about(event, workload, namespace_of(obj))]
    if not found:
        return f"waits for the queue '{queue}' to admit it"
    newest = max(found, key=last_seen)
    return f"waits for the queue '{queue}' to admit it: {flat(str(newest.get('message') or '')).rstrip('.')}"


def _is_about(event: Object, workload: re.Pattern[str], namespace: str) -> bool:
    about = event.get("involvedObject") or {}
    return (
        about.get("kind") == _WORKLOAD
        and about.get("namespace") in {None, namespace}
        and workload.fullmatch(str(about.get("name"))) is not None
        and event.get("reason") in _REASONS
    )
