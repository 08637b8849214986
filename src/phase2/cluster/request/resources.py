"""Request of a run to the cluster: image, resources, placement and limits, validated."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from phase2.cluster.request.image import Image
from phase2.cluster.request.names import (
    Toleration,
    check_label_name,
    check_label_value,
    check_resource_name,
    check_subdomain,
)
from phase2.cluster.request.quantities import Quantity, parse_cpu, parse_memory
from phase2.config.settings import CHECKPOINT_MINUTES, GPUS_VARIABLE
from phase2.errors import RequestError, UnknownNameError

DEFAULT_NAMESPACE = "phase2"
DAY = 24 * 3600
NO_CACHE, NEVER = "none", "never"
NO_LIMIT = 0.0
"""The number of hours that stands for no limit."""

# Time for a batch, a checkpoint and its upload; a pod that needs less ends earlier.
_GRACE_SECONDS = 300
_MAX_RETRIES = 1000
MAX_GPUS = 16
"""GPUs of one pod; a run has a process on each."""
MAX_NODES = 64
"""Pods that one run is divided among; a Job counts each failure of one."""

PULL_POLICIES = ("IfNotPresent", "Always", "Never")
GPU_RESOURCE = "nvidia.com/gpu"
NVIDIA_GPUS = r"nvidia[.]com/(gpu|mig-[1-9][0-9]*g[.][0-9]+gb([.][a-z0-9]+)*)([.]shared)?"
"""Names that NVIDIA's device plugin gives to GPUs, to slices of them (MIG) and to shares of either (time slicing)."""
STORE_SECRET = "phase2-s3"  # noqa: S105 - a name

_DURATION = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": DAY, "w": 7 * DAY}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRequest:
    """What a run requests of the cluster. None of it changes the numbers that the run computes.

    Attributes:
        image: The container image.
        pull_policy: When a node pulls the image.
        namespace: Namespace of the run.
        context: Context of the kubeconfig, which names the cluster; None is its current one.
        nodes: Pods that train together, each with what follows.
        cpu: CPU request, cores; also the number of threads, so that every attempt computes the same sums.
        cpu_limit: CPU limit, cores; None sets no limit.
        memory: Memory request and limit.
        ephemeral_storage: Disk of the node that is requested, and the limit; None says nothing.
        shared_memory: Size of /dev/shm, a part of ``memory``; None leaves it to the node.
        gpus: GPUs of each pod, which has a process on each.
        gpu_resource: Name of the GPUs in the cluster, such as that of a slice of one: ``nvidia.com/mig-1g.10gb``.
        priority: Priority class; None is the cluster's default.
        runtime_class: Runtime class, which says how nodes run the container: ``nvidia``, or a sandbox; None is the
            cluster's default.
        queue: Kueue queue that admits the run; None starts it at once.
        node_selector: Labels that the node must have, in order.
        tolerations: Taints that the pod tolerates.
        affinity: Affinity of the pod, as in its spec; None is none.
        topology_spread: Topology spread constraints of the pod, as in its spec.
        store_secret: Secret with the access keys of the store.
        cache: PersistentVolumeClaim of the data cache; None is an empty folder in every pod.
        store: Address of the store; None takes it from the ConfigMap of the namespace.
        deadline_seconds: Time after which the run is stopped; None is unlimited.
        retries: Number of retries after failures.
        checkpoint_minutes: Longest time between two checkpoints.
        protect_hours: Hours from its start for which evictions spare the pod of a Job; None is none.
        keep_seconds: Time to live of the object after its end.
        grace_seconds: Grace period in which a pod that is stopped saves a checkpoint.

    Raises:
        RequestError: A value is invalid.
    """

    image: Image
    pull_policy: str = "IfNotPresent"
    namespace: str = DEFAULT_NAMESPACE
    context: str | None = None
    nodes: int = 1
    cpu: Quantity = field(default_factory=lambda: parse_cpu("2"))
    cpu_limit: Quantity | None = None
    memory: Quantity = field(default_factory=lambda: parse_memory("8Gi"))
    ephemeral_storage: Quantity | None = None
    shared_memory: Quantity | None = None
    gpus: int = 0
    gpu_resource: str = GPU_RESOURCE
    priority: str | None = None
    runtime_class: str | None = None
    queue: str | None = None
    node_selector: tuple[tuple[str, str], ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    affinity: Mapping[str, Any] | None = None
    topology_spread: tuple[Mapping[str, Any], ...] = ()
    store_secret: str = STORE_SECRET
    cache: str | None = None
    store: str | None = None
    deadline_seconds: int | None = 7 * DAY
    retries: int = 6
    checkpoint_minutes: float = CHECKPOINT_MINUTES
    protect_hours: float | None = None
    keep_seconds: int = 7 * DAY
    grace_seconds: int = _GRACE_SECONDS

    def __post_init__(self) -> None:
        check_label_name(self.namespace, "--namespace")
        if self.pull_policy not in PULL_POLICIES:
            raise UnknownNameError.of("image pull policy", self.pull_policy, PULL_POLICIES)
        for option, name in (
            ("--priority", self.priority),
            ("runtimeClass", self.runtime_class),
            ("--cache", self.cache),
            ("store-secret", self.store_secret),
        ):
            if name is not None:
                check_subdomain(name, option)
        if self.queue is not None:
            check_label_value(check_subdomain(self.queue, "--queue"), "--queue")
        _refuse_outside("--nodes", self.nodes, 1, MAX_NODES)
        _refuse_outside("--gpus", self.gpus, 0, MAX_GPUS)
        check_resource_name(self.gpu_resource, "--gpu-resource")
        _refuse_slices(self.gpus, self.gpu_resource)
        _refuse_outside("--retries", self.retries, 0, _MAX_RETRIES)
        if not 0 < self.checkpoint_minutes < float("inf"):
            raise RequestError(
                f"--checkpoint-minutes {self.checkpoint_minutes} is not a positive number.", fix="Give 5, say."
            )
        if self.cpu_limit is not None and self.cpu_limit.value < self.cpu.value:
            raise RequestError(
                f"--cpu-limit {self.cpu_limit} is less than --cpu {self.cpu}.",
                why="The limit cannot be below the request.",
                fix="Raise the limit, or drop it.",
            )
        if self.shared_memory is not None and self.shared_memory.value > self.memory.value:
            raise RequestError(
                f"sharedMemory {self.shared_memory} is more than the memory of {self.memory}.",
                why="What lies in /dev/shm counts as memory of the pod.",
                fix="Give more --memory, or have the administrator lower it (runs.defaults of the chart).",
            )
        keys = [key for key, _ in self.node_selector]
        if len(set(keys)) < len(keys):
            raise RequestError("--node-selector names a key twice.", fix="Name each key once.")
        if self.store is not None:
            _refuse_local_store(self.store)

    @property
    def threads(self) -> int:
        """Number of threads, the same on every node."""
        return (self.cpu_limit or self.cpu).at_least_one

    @property
    def is_group(self) -> bool:
        """Whether several pods train the run together."""
        return self.nodes > 1

    @property
    def processes(self) -> int:
        """Processes that share each batch: one for each GPU, or for each pod without any."""
        return self.nodes * max(1, self.gpus)

    def gpu_variables(self) -> dict[str, str]:
        """Return the environment variables that tell a pod how many GPUs it reserves; none without."""
        return {GPUS_VARIABLE: str(self.gpus)} if self.gpus else {}

    @property
    def cores(self) -> float:
        """Cores that the run computes on: one for each thread, or a part of one."""
        return min(float((self.cpu_limit or self.cpu).value), self.threads)


def parse_duration(text: str, *, option: str) -> int:
    """Parse a duration such as ``90s``, ``45m``, ``12h``, ``3d`` or ``2w``; returns seconds.

    Raises:
        RequestError: It is not a duration.
    """
    found = _DURATION.fullmatch(text.strip())
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds < 1 << 31:
        raise RequestError(
            f"{option} {text} is not a duration.",
            why="The form is a number followed by s, m, h, d or w.",
            fix="Write 12h, say.",
        )
    return seconds


def format_duration(seconds: float) -> str:
    """Format a duration: ``45 s``, ``12 min``, ``3.5 h``, ``2.1 days``."""
    for unit, name in ((DAY, "days"), (3600, "h"), (60, "min")):
        if seconds >= unit * 1.95:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.3g} s"


def check_hours(hours: float) -> float:
    """Validate a limit in hours; 0 is none.

    Raises:
        RequestError: It is negative or not a number.
    """
    if not 0 <= hours < math.inf:
        raise RequestError(
            f"--max-hours {hours:g} is not a number of hours.",
            why="It limits the estimated time of a run without a GPU.",
            fix="Give 24, say, or 0 for no limit.",
        )
    return hours


def _refuse_slices(gpus: int, resource: str) -> None:
    """Refuse several slices (MIG) or shares (time slicing) of GPUs for one pod."""
    if gpus > 1 and re.search(r"/mig-|[.]shared$", resource):
        raise RequestError(
            f"--gpus {gpus} of {resource} cannot train one run.",
            why="They are parts of GPUs: a process sees one slice of MIG, and shares of time may be of the same GPU.",
            fix="Give --gpus 1, or --gpu-resource with the name of whole GPUs.",
        )


def _refuse_outside(option: str, value: int, minimum: int, maximum: int) -> None:
    if not minimum <= value <= maximum:
        raise RequestError(f"{option} {value} is out of range.", fix=f"Give a number from {minimum} to {maximum}.")


def _refuse_local_store(url: str) -> None:
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise RequestError(
            "The address of the store contains access keys.",
            why="The address is part of the Job, and everybody who may read the Job could read them.",
            fix="Write s3://bucket/prefix; the pod takes its keys from the Secret phase2-s3.",
        )
    if not url.startswith("s3://"):
        raise RequestError(
            f"--store {url} cannot be reached from a pod.",
            why="The files of a pod are deleted with the pod.",
            fix="Write s3://bucket/prefix, or drop --store: the ConfigMap phase2-store names the store.",
        )
