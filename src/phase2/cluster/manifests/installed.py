"""What the pods that train have of the installation itself: variables of the ConfigMap ``phase2-runs``, and a port.

They are read when a pod starts and belong to the process, not to the plan of a run.
"""

from __future__ import annotations

from typing import Any

from phase2.cluster.request.installation import CONFIG_MAP

METRICS_PORT = 9108
"""Port of the metrics of a training, where the installation has it serve them."""

_KEYS = {
    "PHASE2_METRICS_PORT": "metrics-port",
    "PHASE2_STALL_MINUTES": "stall-minutes",
    "PHASE2_LOG_FORMAT": "log-format",
}


def installed_variables() -> list[dict[str, Any]]:
    """Return the environment variables that a training has of the installation; a missing key counts as not given."""
    return [
        {"name": name, "valueFrom": {"configMapKeyRef": {"name": CONFIG_MAP, "key": key, "optional": True}}}
        for name, key in _KEYS.items()
    ]


def metrics_port() -> dict[str, Any]:
    """Return the port of a training's metrics, by whose name a PodMonitor finds it."""
    return {"name": "metrics", "containerPort": METRICS_PORT}
