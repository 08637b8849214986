"""What a run may use at most, by the table of an installation. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from phase2.cluster.request.resources import ClusterRequest
from phase2.errors import RequestError

MAX_NODES_FIELD, MAX_GPUS_FIELD = "maxNodes", "maxGpus"
"""Fields of the table that limit runs, and give them nothing."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Most that one run of an algorithm and mode may use.

    Attributes:
        nodes: Pods; None is no limit but that of phase2.
        gpus: GPUs of all its pods together; None is no limit but those of phase2 and the quota.
    """

    nodes: int | None = None
    gpus: int | None = None

    def check(self, cluster: ClusterRequest) -> ClusterRequest:
        """Return what a run requests, if it is within the limits.

        Raises:
            RequestError: It is not.
        """
        if self.nodes is not None and cluster.nodes > self.nodes:
            raise _refusal(f"--nodes {cluster.nodes} is", f"{self.nodes} nodes", MAX_NODES_FIELD)
        if self.gpus is not None and cluster.nodes * cluster.gpus > self.gpus:
            asked = f"--nodes {cluster.nodes} --gpus {cluster.gpus}" if cluster.is_group else f"--gpus {cluster.gpus}"
            raise _refusal(f"{asked} is", f"{self.gpus} GPUs", MAX_GPUS_FIELD)
        return cluster


def _refusal(asked: str, limit: str, field: str) -> RequestError:
    return RequestError(
        f"{asked} more than a run may use in this namespace.",
        why=f"The installation limits one of this algorithm and level to {limit}.",
        fix=f"Ask for less, or have the administrator raise {field} (runs.defaults of the chart).",
    )
