"""What an installation gives to the runs of its namespace: the ConfigMap ``phase2-runs``. Pure.

An administrator says there, by algorithm and level, which resources and which nodes a run gets that asks for nothing.
``phase2 submit`` and the first step of every Workflow read the same table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from phase2.cluster.request.common_metadata import ANNOTATIONS, LABELS, CommonMetadata
from phase2.cluster.request.defaults import RunDefaults
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.prices import Prices
from phase2.errors import RequestError

CONFIG_MAP = "phase2-runs"
IMAGE, PULL_POLICY, CACHE = "image", "image-pull-policy", "cache"
STORE_SECRET, MAX_CPU_HOURS, DEFAULTS = "store-secret", "max-cpu-hours", "defaults"
PROTECT_HOURS, PRICES = "protect-hours", "prices"
"""Keys of the ConfigMap."""

_KEYS = (IMAGE, PULL_POLICY, CACHE, STORE_SECRET, MAX_CPU_HOURS, PROTECT_HOURS, DEFAULTS, PRICES, LABELS, ANNOTATIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What an installation gives to runs that ask for nothing.

    Attributes:
        image: Reference of the container image; None leaves it to the user.
        pull_policy: When a node pulls the image; None is ``IfNotPresent``.
        cache: PersistentVolumeClaim of the data cache; None gives every pod an empty one.
        store_secret: Secret with the access keys of the store; None is ``phase2-s3``.
        max_hours: Longest estimated time of a run without a GPU, hours; None is no limit.
        protect_hours: Time from the start of its pod for which evictions spare a training, hours; None is none.
        defaults: Resources and placement by algorithm and mode.
        prices: What an hour of a GPU and of a core costs; None is not said.
        common: Labels and annotations of all objects.
    """

    image: str | None = None
    pull_policy: str | None = None
    cache: str | None = None
    store_secret: str | None = None
    max_hours: float | None = None
    protect_hours: float | None = None
    defaults: RunDefaults = field(default_factory=RunDefaults)
    prices: Prices | None = None
    common: CommonMetadata = field(default_factory=CommonMetadata)

    @classmethod
    def parse(cls, data: Mapping[str, str]) -> Installation:
        """Parse the content of the ConfigMap; unknown keys of another version of phase2 are ignored.

        Raises:
            RequestError: A value is invalid.
            UnknownNameError: A table names an algorithm, a mode or a field that there is not.
        """
        return cls(
            image=data.get(IMAGE) or None,
            pull_policy=data.get(PULL_POLICY) or None,
            cache=data.get(CACHE) or None,
            store_secret=data.get(STORE_SECRET) or None,
            max_hours=_hours(data, MAX_CPU_HOURS),
            protect_hours=_hours(data, PROTECT_HOURS),
            defaults=RunDefaults.parse(data.get(DEFAULTS, "")),
            prices=Prices.parse(data.get(PRICES, "")),
            common=CommonMetadata.parse(data),
        )

    @classmethod
    def read(cls, folder: Path) -> Installation:
        """Read the ConfigMap as it is mounted in a pod, a file for each key; a missing folder is an empty one.

        Raises:
            RequestError: A value is invalid, or a file cannot be read.
        """
        return cls.parse(dict(_files(folder)))

    def options(self, algorithm: str, mode: str) -> ClusterOptions:
        """Return what a run of an algorithm and mode gets that asks for nothing."""
        found: dict[str, Any] = {
            "image": self.image,
            "pull_policy": self.pull_policy,
            "cache": self.cache,
            "store_secret": self.store_secret,
            "max_hours": self.max_hours,
            "protect_hours": self.protect_hours,
        }
        return ClusterOptions(**found, **self.defaults.options(algorithm, mode))


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    for key in _KEYS:
        try:
            yield key, (folder / key).read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        except OSError as error:
            raise RequestError(
                f"{folder / key} cannot be read.", why=f"{error.strerror}.", fix=f"Check the ConfigMap {CONFIG_MAP}."
            ) from error


def _hours(data: Mapping[str, str], key: str) -> float | None:
    """Parse a number of hours; None if there is none, or 0."""
    text = data.get(key, "").strip()
    try:
        hours = float(text or 0)
    except ValueError:
        hours = -1.0
    if not 0 <= hours < float("inf"):
        raise RequestError(
            f"{key} of the ConfigMap {CONFIG_MAP} is '{text}'.",
            why="It is a number of hours, or 0 for none.",
            fix="Have the administrator correct it (docs/how-to/argo.md).",
        )
    return hours or None
