"""How what belongs to a run is labelled in a cluster, and what is noted on it for later commands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

NAME_LABEL, COMPONENT_LABEL = "app.kubernetes.io/name", "app.kubernetes.io/component"
RUN_LABEL, ALGORITHM_LABEL = "phase2.dev/run-id", "phase2.dev/algorithm"
LEVEL_LABEL, MODE_LABEL = "phase2.dev/level", "phase2.dev/mode"
COMMAND_ANNOTATION = "phase2.dev/command"
REQUEST_ANNOTATION = "phase2.dev/request-digest"
WORDS_ANNOTATION = "phase2.dev/cluster-request"
PLAN_ANNOTATION = "phase2.dev/plan-digest"
CANCELLED_ANNOTATION = "phase2.dev/cancelled"


def labels_of(run_id: str, algorithm: str, mode: str) -> dict[str, str]:
    """The labels by which what belongs to a run is found and told."""
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
    """What tells whether two objects of one run were given the same: resources, place, retries."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
