"""Where a run ran: process, host, pod, node, workflow. Named facts only, never the whole environment."""

from __future__ import annotations

import os
import socket

from phase2.config.settings import workflow_name
from phase2.storage.records import Counted, Record

# Set by the pod's manifest (Kubernetes' downward API).
POD_VARIABLE = "PHASE2_POD_NAME"
NAMESPACE_VARIABLE = "PHASE2_POD_NAMESPACE"
NODE_VARIABLE = "PHASE2_NODE_NAME"


class Place(Record):
    """Where a run ran; null for what does not apply.

    Attributes:
        process: Process id.
        host: Name of the machine or container.
        pod: Kubernetes pod.
        namespace: Its namespace.
        node: Its node.
        workflow: Argo workflow.
    """

    process: Counted
    host: str
    pod: str | None
    namespace: str | None
    node: str | None
    workflow: str | None


def detect_place() -> Place:
    """Read where this process runs."""
    return Place(
        process=os.getpid(),
        host=socket.gethostname(),
        pod=_variable(POD_VARIABLE),
        namespace=_variable(NAMESPACE_VARIABLE),
        node=_variable(NODE_VARIABLE),
        workflow=workflow_name(),
    )


def _variable(name: str) -> str | None:
    return os.environ.get(name) or None
