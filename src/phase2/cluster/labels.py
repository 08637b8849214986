"""Labels and annotations of the objects of a run. The values are persisted: they never change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

NAME_LABEL, COMPONENT_LABEL = "app.kubernetes.io/name", "app.kubernetes.io/component"
RUN_LABEL, ALGORITHM_LABEL = "phase2.dev/run-id", "phase2.dev/algorithm"
LEVEL_LABEL, MODE_LABEL = "phase2.dev/level", "phase2.dev/mode"
COMMAND_ANNOTATION = "phase2.dev/command"
REQUEST_ANNOTATION = "phase2.dev/request-digest"
OPTIONS_ANNOTATION = "phase2.dev/cluster-request"
PLAN_ANNOTATION = "phase2.dev/plan-digest"
CANCELLED_ANNOTATION = "phase2.dev/cancelled"
GROUP_LABEL, GROUP = "phase2.dev/group", "true"
"""Label of pods that train a run together with others."""
RANK_LABEL = "phase2.dev/rank"
"""Label of the rank of such a pod, where Kubernetes itself gives it no index."""
OWNER_ANNOTATION = "phase2.dev/owner"
"""Name of the user who submitted it, written by the admission policy phase2-owners or by ``phase2 submit``."""


def cancelled_at(now: datetime) -> dict[str, dict[str, str]]:
    """Return the metadata of a patch that records when somebody cancelled a run."""
    return {"annotations": {CANCELLED_ANNOTATION: now.isoformat(timespec="seconds")}}


def is_labelled(obj: Mapping[str, Any]) -> bool:
    """Whether an object has the labels of a run's objects."""
    labels = obj["metadata"].get("labels") or {}
    return labels.get(NAME_LABEL) == "phase2" and labels.get(COMPONENT_LABEL) == "training"


def labels_of(run_id: str, algorithm: str, mode: str) -> dict[str, str]:
    """Return the labels of every object of a run."""
    return {
        NAME_LABEL: "phase2",
        COMPONENT_LABEL: "training",
        "app.kubernetes.io/managed-by": "phase2",
        "app.kubernetes.io/part-of": "phase2",
        RUN_LABEL: run_id,
        ALGORITHM_LABEL: algorithm,
        MODE_LABEL: mode,
    }


def spec_digest(spec: Mapping[str, Any]) -> str:
    """Return a digest of an object's spec, to tell whether two objects of a run have the same resources and limits."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
