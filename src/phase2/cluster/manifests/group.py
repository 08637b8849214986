"""What pods have beyond a pod that trains alone where several train a run together. Pure.

The pods find each other by name: pod 0 is ``NAME-0.phase2-group``, and the headless Service of the installation gives
that name an address. An Indexed Job names its pods so, after their index. Each is one node of the group, by the
variables that torchrun reads (https://docs.pytorch.org/docs/stable/elastic/run.html), and has a process for each GPU.
"""

from __future__ import annotations

import re
from typing import Any

from phase2.cluster.labels import GROUP, GROUP_LABEL
from phase2.cluster.manifests.installed import communication_variables
from phase2.cluster.plan import Plan
from phase2.config.settings import STAY_VARIABLE
from phase2.errors import RequestError
from phase2.machine.rank import ADDRESS_VARIABLE, NODE_VARIABLE, NODES_VARIABLE, PORT_VARIABLE

SERVICE = "phase2-group"
"""Headless Service of a namespace that gives the pods of every group their names."""
PORT = 29500
"""Port of pod 0 at which the others meet."""

_INDEX = "batch.kubernetes.io/job-completion-index"
_LONGEST_NAME = 63
_LABEL = re.compile("[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def group_spec(plan: Plan) -> dict[str, Any]:
    """Return the fields of a Job's spec that make its pods a group; none of those of one pod.

    The run is finished when pod 0 is: it alone writes and publishes.
    """
    nodes = plan.cluster.nodes
    if not plan.cluster.is_group:
        return {}
    return {
        "completions": nodes,
        "parallelism": nodes,
        "completionMode": "Indexed",
        # Where one pod is lost the others end as well, and each end counts.
        "backoffLimit": plan.cluster.retries * nodes,
        "successPolicy": {"rules": [{"succeededIndexes": "0"}]},
    }


def group_labels(plan: Plan) -> dict[str, str]:
    """Return the label of the pods of a group, by which the Service and the network policy select them."""
    return {GROUP_LABEL: GROUP} if plan.cluster.is_group else {}


def group_variables(plan: Plan) -> list[dict[str, Any]]:
    """Return the environment variables by which a pod of a Job joins its group.

    Raises:
        RequestError: The run id is too long for the names of the pods.
    """
    if not plan.cluster.is_group:
        return []
    return [
        *({"name": name, "value": word} for name, word in meeting_variables(plan.name, plan.cluster.nodes).items()),
        {"name": NODE_VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": f"metadata.annotations['{_INDEX}']"}}},
        {"name": STAY_VARIABLE, "value": "1"},
        *communication_variables(),
    ]


def meeting_variables(name: str, nodes: int) -> dict[str, str]:
    """Return the environment variables, by name, that are the same for all pods of a group.

    Args:
        name: Name of the object that makes the pods, after which they are named.
        nodes: Number of pods.

    Raises:
        RequestError: It is too long for the names of the pods.
    """
    last = f"{name}-{nodes - 1}"
    if not _LABEL.fullmatch(name):
        raise RequestError(
            f"The name '{name}' cannot be that of a run on {nodes} nodes.",
            why="Its pods are found by name, which has lower-case letters, digits and hyphens alone.",
            fix="Give another name, or none and let one be made.",
        )
    if len(last) > _LONGEST_NAME:
        raise RequestError(
            f"The name '{name}' is too long for a run on {nodes} nodes.",
            why=f"Its pods are found by their names, {last}, which have {_LONGEST_NAME} characters at most.",
            fix="Give a shorter --run-id, or none and let one be made.",
        )
    return {
        ADDRESS_VARIABLE: f"{first_host(name)}.{SERVICE}",
        PORT_VARIABLE: str(PORT),
        NODES_VARIABLE: str(nodes),
    }


def first_host(name: str) -> str:
    """Return the host name of pod 0."""
    return f"{name}-0"


def group_pod(plan: Plan) -> dict[str, Any]:
    """Return the fields of the pod's spec that give it a name in the Service."""
    return {"subdomain": SERVICE} if plan.cluster.is_group else {}
