"""What is asked of the cluster for a run, in the user's words, validated."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from phase2.cluster.request.image import Image
from phase2.cluster.request.names import Toleration, check_label_name, check_label_value, check_subdomain
from phase2.cluster.request.quantities import Quantity, parse_cpu, parse_memory
from phase2.config.settings import CHECKPOINT_MINUTES
from phase2.errors import RequestError

DEFAULT_NAMESPACE = "phase2"
DAY = 24 * 3600
NO_CACHE = "none"

# A batch, a checkpoint and its copy in the store; a pod that is done earlier ends earlier.
_GRACE_SECONDS = 300
_MOST_RETRIES = 1000
MAX_GPUS = 64

_DURATION = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": DAY, "w": 7 * DAY}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRequest:
    """What a run is given on the cluster; nothing of it changes a number of the run.

    Attributes:
        image: The container image.
        namespace: Namespace of the Job.
        context: Context of the kubeconfig, which names the cluster; None is its current one.
        cpu: Cores that are reserved; also the number of threads, so that every attempt computes the same sums.
        cpu_limit: Cores that it may use at most; None sets no limit.
        memory: Memory that it is given and held to.
        gpus: NVIDIA GPUs.
        priority: Priority class; None is the cluster's default.
        queue: Kueue queue that admits the Job; None starts it at once.
        node_selector: Labels that the node must have, in order.
        tolerations: Taints that the pod puts up with.
        cache: PersistentVolumeClaim of the data cache; None is a fresh folder in every pod.
        store: Where the run is kept; None is what the ConfigMap of the cluster says.
        deadline_seconds: Time after which the run is stopped; None is never.
        retries: Failures after which it is given up.
        checkpoint_minutes: Longest time between two checkpoints.
        keep_seconds: Time for which the ended Job can be looked at.
        grace_seconds: Time that a pod is given to save and leave.

    Raises:
        RequestError: A value makes no sense.
    """

    image: Image
    namespace: str = DEFAULT_NAMESPACE
    context: str | None = None
    cpu: Quantity = field(default_factory=lambda: parse_cpu("2"))
    cpu_limit: Quantity | None = None
    memory: Quantity = field(default_factory=lambda: parse_memory("8Gi"))
    gpus: int = 0
    priority: str | None = None
    queue: str | None = None
    node_selector: tuple[tuple[str, str], ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    cache: str | None = None
    store: str | None = None
    deadline_seconds: int | None = 7 * DAY
    retries: int = 6
    checkpoint_minutes: float = CHECKPOINT_MINUTES
    keep_seconds: int = 7 * DAY
    grace_seconds: int = _GRACE_SECONDS

    def __post_init__(self) -> None:
        check_label_name(self.namespace, "--namespace")
        for option, name in (("--priority", self.priority), ("--cache", self.cache)):
            if name is not None:
                check_subdomain(name, option)
        if self.queue is not None:
            check_label_value(check_subdomain(self.queue, "--queue"), "--queue")
        _refuse_outside("--gpus", self.gpus, 0, MAX_GPUS)
        _refuse_outside("--retries", self.retries, 0, _MOST_RETRIES)
        if not 0 < self.checkpoint_minutes < float("inf"):
            raise RequestError(
                f"--checkpoint-minutes {self.checkpoint_minutes} is not a positive number.", fix="Give 5, say."
            )
        if self.cpu_limit is not None and self.cpu_limit.value < self.cpu.value:
            raise RequestError(
                f"--cpu-limit {self.cpu_limit} is less than --cpu {self.cpu}.",
                why="What is reserved must be allowed.",
                fix="Raise the limit, or drop it.",
            )
        keys = [key for key, _ in self.node_selector]
        if len(set(keys)) < len(keys):
            raise RequestError("--node-selector names a key twice.", fix="Name each key once.")
        if self.store is not None:
            _refuse_local_store(self.store)

    @property
    def threads(self) -> int:
        """Threads to compute on, the same on every node."""
        return (self.cpu_limit or self.cpu).at_least_one


def parse_duration(text: str, *, option: str) -> int:
    """Read a time span such as ``90s``, ``45m``, ``12h``, ``3d`` or ``2w`` as seconds.

    Raises:
        RequestError: It is none.
    """
    found = _DURATION.fullmatch(text.strip())
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds < 1 << 31:
        raise RequestError(
            f"{option} {text} is no time span.", why="It is a number of s, m, h, d or w.", fix="Write 12h, say."
        )
    return seconds


def human_duration(seconds: float) -> str:
    """A time span for people: ``45 s``, ``12 min``, ``3.5 h``, ``2.1 days``."""
    for unit, name in ((DAY, "days"), (3600, "h"), (60, "min")):
        if seconds >= unit * 1.95:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.3g} s"


def _refuse_outside(option: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise RequestError(f"{option} {value} is out of range.", fix=f"Give a number from {least} to {most}.")


def _refuse_local_store(url: str) -> None:
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise RequestError(
            "The address of the store carries access keys.",
            why="Addresses end up in the Job, where whoever may see it sees them.",
            fix="Write s3://bucket/prefix; the pod has its keys from the Secret phase2-s3.",
        )
    if not url.startswith("s3://"):
        raise RequestError(
            f"--store {url} is not reached from a pod.",
            why="The pod's files go with the pod.",
            fix="Write s3://bucket/prefix, or drop --store: the ConfigMap phase2-store says where runs are kept.",
        )
