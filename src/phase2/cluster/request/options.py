"""What is asked of the cluster, in the user's own words; what was not said is known to be so."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

from phase2.cluster.request.image import Image
from phase2.cluster.request.names import parse_node_selector, parse_toleration
from phase2.cluster.request.quantities import parse_cpu, parse_memory
from phase2.cluster.request.resources import ClusterRequest, parse_duration
from phase2.errors import RequestError

NO_CACHE, NEVER = "none", "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOptions:
    """The options of a :class:`ClusterRequest` as they were given; None means that the user did not say.

    Attributes:
        image: Reference of the image.
        gpus: Number of GPUs.
        cpu: Cores to reserve.
        cpu_limit: Cores to use at most.
        memory: Memory.
        priority: Priority class.
        queue: Kueue queue.
        node_selector: Labels of the node, each ``key=value``.
        toleration: Taints, each ``key=value:Effect``.
        cache: Claim of the data cache, or ``none``.
        deadline: Time span, or ``never``.
        retries: Failures after which the run is given up.
        store: Address of the store.
        checkpoint_minutes: Longest time between two checkpoints.
    """

    image: str | None = None
    gpus: int | None = None
    cpu: str | None = None
    cpu_limit: str | None = None
    memory: str | None = None
    priority: str | None = None
    queue: str | None = None
    node_selector: tuple[str, ...] | None = None
    toleration: tuple[str, ...] | None = None
    cache: str | None = None
    deadline: str | None = None
    retries: int | None = None
    store: str | None = None
    checkpoint_minutes: float | None = None

    @classmethod
    def from_json(cls, text: str) -> ClusterOptions:
        """Read what :meth:`to_json` wrote; words of another version of phase2 that this one does not know are dropped.

        Raises:
            RequestError: It is damaged.
        """
        try:
            words = dict(json.loads(text))
        except (ValueError, TypeError) as error:
            why = "The record of its first submission is damaged."
            raise RequestError("The resources of the run are not known.", why=why, fix="Give them again.") from error
        known = {field.name for field in fields(cls)}
        said: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in words.items() if k in known}
        return cls(**said)

    def to_json(self) -> str:
        """What was said, to be read again by :meth:`from_json`."""
        return json.dumps(self._said(), separators=(",", ":"))

    def over(self, earlier: ClusterOptions) -> ClusterOptions:
        """These words, and the earlier ones where nothing is said."""
        return ClusterOptions(**(earlier._said() | self._said()))

    def request(self, namespace: str, *, context: str | None = None) -> ClusterRequest:
        """What the words mean, with defaults for what was not said.

        Args:
            namespace: Namespace of the Job.
            context: Context of the kubeconfig.

        Raises:
            RequestError: A word makes no sense.
        """
        if not self.image:
            raise RequestError(
                "No image is named.",
                why="The run's pod is made of one.",
                fix="Give --image registry/phase2@sha256:..., or set PHASE2_IMAGE.",
            )
        words: dict[str, Any] = {
            "gpus": self.gpus,
            "cpu": None if self.cpu is None else parse_cpu(self.cpu),
            "cpu_limit": None if self.cpu_limit is None else parse_cpu(self.cpu_limit, option="--cpu-limit"),
            "memory": None if self.memory is None else parse_memory(self.memory),
            "priority": self.priority,
            "queue": self.queue,
            "cache": None if self.cache == NO_CACHE else self.cache,
            "retries": self.retries,
            "store": self.store,
            "checkpoint_minutes": self.checkpoint_minutes,
        }
        if self.deadline is not None:
            seconds = None if self.deadline == NEVER else parse_duration(self.deadline, option="--deadline")
            words["deadline_seconds"] = seconds
        return ClusterRequest(
            image=Image.parse(self.image),
            namespace=namespace,
            context=context,
            node_selector=tuple(map(parse_node_selector, self.node_selector or ())),
            tolerations=tuple(map(parse_toleration, self.toleration or ())),
            **{name: value for name, value in words.items() if value is not None or name == "deadline_seconds"},
        )

    def _said(self) -> dict[str, Any]:
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}
