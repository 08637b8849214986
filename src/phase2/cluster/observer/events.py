"""Events of Kubernetes for states of runs. Pure.

The name of an event follows from the object's uid and what happened to it, so that a process that starts again makes
none a second time: the API server refuses the name.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from phase2.cluster.labels import NAME_LABEL, RUN_LABEL
from phase2.cluster.observer.observation import Observation
from phase2.cluster.run_state import State

COMPONENT = "phase2-observer"
NORMAL, WARNING = "Normal", "Warning"

REASONS: dict[State, tuple[str, str]] = {
    "queued": ("RunQueued", NORMAL),
    "waiting": ("RunWaiting", NORMAL),
    "blocked": ("RunBlocked", WARNING),
    "running": ("RunStarted", NORMAL),
    "retrying": ("RunRetrying", WARNING),
    "stopping": ("RunStopping", NORMAL),
    "succeeded": ("RunSucceeded", NORMAL),
    "failed": ("RunFailed", WARNING),
    "cancelled": ("RunCancelled", NORMAL),
}
"""Reason and type of the event of each state. Reasons are stable: alerts and scripts name them."""
STALLED = "RunStalled"
"""Reason where an attempt ended because it took no step for too long."""

_LONGEST_NAME, _LONGEST_MESSAGE = 253, 1024


def event_of(seen: Observation, *, namespace: str, now: datetime) -> dict[str, Any]:
    """Return the event of an observation.

    Args:
        seen: The observation.
        namespace: Namespace of the object.
        now: The current time.
    """
    state = seen.state
    reason, kind = REASONS[state.state]
    if state.state == "retrying" and "--stall-minutes" in state.message:  # the message of the stall detector
        reason = STALLED
    time = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    digest = hashlib.sha256("\0".join(seen.key).encode()).hexdigest()[:16]
    involved = {"kind": state.kind, "namespace": namespace, "name": state.name, "uid": seen.uid}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{state.name[: _LONGEST_NAME - len(digest) - 1]}.{digest}",
            "namespace": namespace,
            "labels": {NAME_LABEL: "phase2", RUN_LABEL: state.run_id},
        },
        "involvedObject": {"apiVersion": seen.api_version, **involved},
        "reason": reason,
        "type": kind,
        "message": f"The run {state.run_id} {state.message}"[:_LONGEST_MESSAGE],
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": COMPONENT,
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
    }
