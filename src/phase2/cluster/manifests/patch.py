"""Patches of the pods of a Workflow: the resources and the placement that its first step finds for a run. Pure.

Argo joins such a patch, a JSON object, into the pod of a step (a strategic merge).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from phase2.cluster.manifests.group import SERVICE, first_host, meeting_variables
from phase2.cluster.manifests.pod import placement, resources
from phase2.cluster.manifests.workflow import CONTAINER, refuse_queued_group
from phase2.cluster.request.quantities import Quantity
from phase2.cluster.request.resources import ClusterRequest


@dataclass(frozen=True, slots=True)
class PodPatches:
    """Patches of the pods of one run.

    Attributes:
        train: Of the first attempt of its training; of several pods, of the first one.
        retry: Of the further attempts, which may have more memory.
        prepare: Of the preparation of its data, which runs on the same nodes, so that a volume that one node mounts
            is where the training needs it; it needs no GPU.
        queue: Kueue queue that admits the training; "" is none.
        nodes: Pods that train the run together.
        other_train: Of the first attempt of the other pods.
        other_retry: Of their further attempts.
    """

    train: str
    retry: str
    prepare: str
    queue: str
    nodes: int
    other_train: str
    other_retry: str

    @classmethod
    def of(cls, cluster: ClusterRequest, retry_memory: Quantity | None = None, *, workflow: str = "") -> PodPatches:
        """Make the patches of a run.

        Args:
            cluster: Its resources and placement.
            retry_memory: Memory of the further attempts; None is that of the first.
            workflow: Name of the Workflow, after which several pods are named.

        Raises:
            RequestError: The name is too long for several pods, or they have a queue.
        """
        again = replace(cluster, memory=retry_memory or cluster.memory)
        group: dict[str, str] = {}
        host: dict[str, str] = {}
        if cluster.is_group:
            refuse_queued_group(cluster)
            group = meeting_variables(workflow, cluster.nodes)
            host = {"hostname": first_host(workflow), "subdomain": SERVICE}
        return cls(
            train=_training(cluster, group, host),
            retry=_training(again, group, host),
            prepare=_text(placement(cluster), replace(cluster, gpus=0)),
            queue=cluster.queue or "",
            nodes=cluster.nodes,
            other_train=_training(cluster, group),
            other_retry=_training(again, group),
        )

    def parameters(self) -> dict[str, str]:
        """Return the patches by the names of the parameters that the steps take."""
        return {
            "pod": self.train,
            "retry-pod": self.retry,
            "prepare-pod": self.prepare,
            "queue": self.queue,
            "nodes": str(self.nodes),
            "other-nodes": str(self.nodes - 1),
            "other-pod": self.other_train,
            "other-retry-pod": self.other_retry,
        }

    def items(self) -> dict[str, Any]:
        """Return those of the training as fields of an item that a step is repeated for.

        They are objects: of a text in an item, Argo would keep the escapes of its quotation marks.
        """
        return {"pod": json.loads(self.train), "retry-pod": json.loads(self.retry), "queue": self.queue}


def _training(
    cluster: ClusterRequest, variables: Mapping[str, str], host: Mapping[str, str] = MappingProxyType({})
) -> str:
    fields: dict[str, Any] = {"terminationGracePeriodSeconds": cluster.grace_seconds, **host, **placement(cluster)}
    if cluster.shared_memory is not None:
        fields["volumes"] = [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": cluster.shared_memory.text}}]
    if cluster.priority is not None:
        fields["priorityClassName"] = cluster.priority
    return _text(fields, cluster, variables)


def _text(fields: dict[str, Any], cluster: ClusterRequest, further: Mapping[str, str] = MappingProxyType({})) -> str:
    variables = [{"name": name, "value": value} for name, value in {**cluster.gpu_variables(), **further}.items()]
    container = {"name": CONTAINER, "resources": resources(cluster), **({"env": variables} if variables else {})}
    return json.dumps({**fields, "containers": [container]})
