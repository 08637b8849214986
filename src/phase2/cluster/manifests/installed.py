"""What the pods that train have of the installation itself: variables of a ConfigMap and of a Secret, and a port.

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
    "PHASE2_TRACK": "track",
}

SERVICES_SECRET = "phase2-services"  # noqa: S105 - its name
"""Secret with the addresses and keys of trackers and of what receives messages; it need not exist."""
_TRACKING = (
    "MLFLOW_TRACKING_URI",
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_EXPERIMENT_NAME",
    "WANDB_API_KEY",
    "WANDB_BASE_URL",
    "WANDB_ENTITY",
    "WANDB_PROJECT",
)
_COMMUNICATION = (
    "NCCL_SOCKET_IFNAME",
    "NCCL_IB_DISABLE",
    "NCCL_IB_HCA",
    "NCCL_SHM_DISABLE",
    "NCCL_P2P_DISABLE",
    "NCCL_DEBUG",
    "GLOO_SOCKET_IFNAME",
)
_NOTIFICATION = ("PHASE2_NOTIFY", "PHASE2_NOTIFY_ON")


def installed_variables() -> list[dict[str, Any]]:
    """Return the environment variables that a training has of the installation; a missing key counts as not given."""
    return [
        {"name": name, "valueFrom": {"configMapKeyRef": {"name": CONFIG_MAP, "key": key, "optional": True}}}
        for name, key in _KEYS.items()
    ]


def tracking_variables() -> list[dict[str, Any]]:
    """Return the environment variables of trackers, by name: the Secret can set these and no others."""
    return [_of_secret(name) for name in _TRACKING]


def notification_variables() -> list[dict[str, Any]]:
    """Return the environment variables that say to whom a message of the end goes."""
    return [_of_secret(name) for name in _NOTIFICATION]


def communication_names() -> list[str]:
    """Return the names of the variables that say how processes of one run reach each other."""
    return list(_COMMUNICATION)


def communication_variables() -> list[dict[str, Any]]:
    """Return those variables, each a key of the ConfigMap that need not be there."""
    return [
        {"name": name, "valueFrom": {"configMapKeyRef": {"name": CONFIG_MAP, "key": name, "optional": True}}}
        for name in _COMMUNICATION
    ]


def service_names() -> list[str]:
    """Return the names of all variables that the Secret can set."""
    return [*_TRACKING, *_NOTIFICATION]


def _of_secret(name: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": SERVICES_SECRET, "key": name, "optional": True}}}


def metrics_port() -> dict[str, Any]:
    """Return the port of a training's metrics, by whose name a PodMonitor finds it."""
    return {"name": "metrics", "containerPort": METRICS_PORT}
