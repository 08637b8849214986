"""Cluster options as the user gave them; an option that was not given is None, so that options can be merged."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

from phase2.cluster.request.image import Image
from phase2.cluster.request.names import parse_node_selector, parse_object, parse_toleration
from phase2.cluster.request.quantities import parse_cpu, parse_memory, parse_storage
from phase2.cluster.request.resources import NEVER, NO_CACHE, ClusterRequest, check_hours, parse_duration
from phase2.errors import RequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOptions:
    """Options of a :class:`ClusterRequest` as they were given; None means not given.

    Attributes:
        image: Image reference.
        pull_policy: When a node pulls the image.
        nodes: Number of pods that train together.
        gpus: Number of GPUs of each.
        gpu_resource: Name of the GPUs in the cluster.
        cpu: CPU request, cores.
        cpu_limit: CPU limit, cores.
        memory: Memory request and limit.
        ephemeral_storage: Disk of the node, request and limit.
        shared_memory: Size of /dev/shm.
        priority: Priority class.
        runtime_class: Runtime class.
        queue: Kueue queue.
        node_selector: Node labels, each ``key=value``.
        toleration: Tolerated taints, each ``key=value:Effect`` or a JSON object.
        affinity: Affinity, a JSON object.
        topology_spread: Topology spread constraints, each a JSON object.
        store_secret: Secret with the access keys of the store.
        cache: PersistentVolumeClaim of the data cache, or ``none``.
        deadline: Duration, or ``never``.
        retries: Number of retries after failures.
        store: Address of the store.
        checkpoint_minutes: Longest time between two checkpoints.
        protect_hours: Hours from its start for which evictions spare the pod of a Job.
        max_hours: Longest estimated time of a run without a GPU that is accepted; 0 for any.
    """

    image: str | None = None
    pull_policy: str | None = None
    nodes: int | None = None
    gpus: int | None = None
    gpu_resource: str | None = None
    cpu: str | None = None
    cpu_limit: str | None = None
    memory: str | None = None
    ephemeral_storage: str | None = None
    shared_memory: str | None = None
    priority: str | None = None
    runtime_class: str | None = None
    queue: str | None = None
    node_selector: tuple[str, ...] | None = None
    toleration: tuple[str, ...] | None = None
    affinity: str | None = None
    topology_spread: tuple[str, ...] | None = None
    store_secret: str | None = None
    cache: str | None = None
    deadline: str | None = None
    retries: int | None = None
    store: str | None = None
    checkpoint_minutes: float | None = None
    protect_hours: float | None = None
    max_hours: float | None = None

    @classmethod
    def from_json(cls, text: str) -> ClusterOptions:
        """Parse the output of :meth:`to_json`; unknown options of another version of phase2 are ignored.

        Raises:
            RequestError: The text is damaged.
        """
        try:
            recorded = dict(json.loads(text))
        except (ValueError, TypeError) as error:
            why = "The record of its first submission is damaged."
            raise RequestError("The resources of the run are not known.", why=why, fix="Give them again.") from error
        known = {field.name for field in fields(cls)}
        options: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in recorded.items() if k in known}
        return cls(**options)

    def to_json(self) -> str:
        """Serialize the options that were given."""
        return json.dumps(self._given(), separators=(",", ":"))

    def merged_onto(self, base: ClusterOptions) -> ClusterOptions:
        """Return these options, completed by those of a base that are not given here."""
        return ClusterOptions(**(base._given() | self._given()))

    def request(self, namespace: str, *, context: str | None = None) -> ClusterRequest:
        """Parse and validate the options, with defaults for those that were not given.

        Args:
            namespace: Namespace of the run.
            context: Context of the kubeconfig.

        Raises:
            RequestError: An option is invalid.
        """
        if not self.image:
            raise RequestError(
                "No image is named.",
                why="The pod of a run needs a container image.",
                fix="Give --image registry/phase2@sha256:..., or set PHASE2_IMAGE.",
            )
        if self.max_hours is not None:
            check_hours(self.max_hours)
        values: dict[str, Any] = {
            "pull_policy": self.pull_policy,
            "nodes": self.nodes,
            "gpus": self.gpus,
            "gpu_resource": self.gpu_resource,
            "cpu": None if self.cpu is None else parse_cpu(self.cpu),
            "cpu_limit": None if self.cpu_limit is None else parse_cpu(self.cpu_limit, option="--cpu-limit"),
            "memory": None if self.memory is None else parse_memory(self.memory),
            "ephemeral_storage": None if self.ephemeral_storage is None else parse_storage(self.ephemeral_storage),
            "shared_memory": None if self.shared_memory is None else parse_memory(self.shared_memory),
            "affinity": None if self.affinity is None else parse_object(self.affinity, "affinity"),
            "store_secret": self.store_secret,
            "priority": self.priority,
            "runtime_class": self.runtime_class,
            "queue": self.queue,
            "cache": None if self.cache == NO_CACHE else self.cache,
            "retries": self.retries,
            "store": self.store,
            "checkpoint_minutes": self.checkpoint_minutes,
            "protect_hours": self.protect_hours,
        }
        if self.deadline is not None:
            seconds = None if self.deadline == NEVER else parse_duration(self.deadline, option="--deadline")
            values["deadline_seconds"] = seconds
        return ClusterRequest(
            image=Image.parse(self.image),
            namespace=namespace,
            context=context,
            node_selector=tuple(map(parse_node_selector, self.node_selector or ())),
            tolerations=tuple(map(parse_toleration, self.toleration or ())),
            topology_spread=tuple(parse_object(one, "topology spread") for one in self.topology_spread or ()),
            **{name: value for name, value in values.items() if value is not None or name == "deadline_seconds"},
        )

    def _given(self) -> dict[str, Any]:
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}
