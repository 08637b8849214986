"""Patches of the pods of a Workflow: the resources and the placement that its first step finds for a run. Pure.

Argo joins such a patch, a JSON object, into the pod of a step (a strategic merge).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from phase2.cluster.manifests.pod import placement, resources
from phase2.cluster.manifests.workflow import CONTAINER
from phase2.cluster.request.quantities import Quantity
from phase2.cluster.request.resources import ClusterRequest


@dataclass(frozen=True, slots=True)
class PodPatches:
    """Patches of the pods of one run.

    Attributes:
        train: Of the first attempt of its training.
        retry: Of the further attempts, which may have more memory.
        prepare: Of the preparation of its data, which runs on the same nodes, so that a volume that one node mounts
            is where the training needs it; it needs no GPU.
        queue: Kueue queue that admits the training; "" is none.
    """

    train: str
    retry: str
    prepare: str
    queue: str

    @classmethod
    def of(cls, cluster: ClusterRequest, retry_memory: Quantity | None = None) -> PodPatches:
        """Make the patches of a run.

        Args:
            cluster: Its resources and placement.
            retry_memory: Memory of the further attempts; None is that of the first.
        """
        return cls(
            train=_training(cluster),
            retry=_training(replace(cluster, memory=retry_memory or cluster.memory)),
            prepare=_text(placement(cluster), replace(cluster, gpus=0)),
            queue=cluster.queue or "",
        )

    def parameters(self) -> dict[str, str]:
        """Return the patches by the names of the parameters that the steps take."""
        return {"pod": self.train, "retry-pod": self.retry, "prepare-pod": self.prepare, "queue": self.queue}

    def items(self) -> dict[str, Any]:
        """Return those of the training as fields of an item that a step is repeated for.

        They are objects: of a text in an item, Argo would keep the escapes of its quotation marks.
        """
        return {"pod": json.loads(self.train), "retry-pod": json.loads(self.retry), "queue": self.queue}


def _training(cluster: ClusterRequest) -> str:
    fields: dict[str, Any] = {"terminationGracePeriodSeconds": cluster.grace_seconds, **placement(cluster)}
    if cluster.shared_memory is not None:
        fields["volumes"] = [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": cluster.shared_memory.text}}]
    if cluster.priority is not None:
        fields["priorityClassName"] = cluster.priority
    return _text(fields, cluster)


def _text(fields: dict[str, Any], cluster: ClusterRequest) -> str:
    variables = [{"name": name, "value": value} for name, value in cluster.gpu_variables().items()]
    container = {"name": CONTAINER, "resources": resources(cluster), **({"env": variables} if variables else {})}
    return json.dumps({**fields, "containers": [container]})
