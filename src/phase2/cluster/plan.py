"""From a run and what is asked of the cluster to a plan, complete and frozen. Pure: nothing is read or contacted."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from phase2.cluster.labels import COMMAND_ANNOTATION, LEVEL_LABEL, REQUEST_ANNOTATION, WORDS_ANNOTATION, labels_of
from phase2.cluster.request.names import job_name
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.data_sets import CRYSTALS
from phase2.config.request import RunRequest
from phase2.config.resolve import ResolvedRun
from phase2.config.settings import CHECKPOINT_MINUTES
from phase2.errors import RequestError, UnknownNameError
from phase2.runs.layout import check_run_id

WORK, CACHE, CA_FOLDER = "/work", "/work/cache", "/etc/phase2/ca"
TERMINATION_LOG = "/dev/termination-log"

# What an administrator provides in the namespace: names that k8s/base installs.
SERVICE_ACCOUNT = "phase2-runner"
STORE_CONFIG_MAP = "phase2-store"
STORE_SECRET = "phase2-s3"  # noqa: S105 - a name
CA_CONFIG_MAP = "phase2-ca"
CACHE_CLAIM = "phase2-data-cache"

VolumeKind = Literal["folder", "memory", "claim", "config"]


@dataclass(frozen=True, slots=True)
class Volume:
    """A folder of the pod.

    Attributes:
        name: Its name in the pod.
        path: Where the container sees it.
        kind: ``folder`` is fresh in every pod, ``memory`` likewise but in memory, ``claim`` is a PersistentVolumeClaim,
            ``config`` a ConfigMap that need not be there.
        source: Name of the claim or ConfigMap.
    """

    name: str
    path: str
    kind: VolumeKind
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run as it is to reach the cluster: everything that a backend needs, and nothing of one backend.

    Attributes:
        run_id: Id that all attempts of the run share.
        resolved: The run.
        cluster: What it is given there.
        command: What the pod runs.
        environment: Variables of the pod, by name.
        volumes: Folders of the pod.
        labels: Labels of everything that belongs to the run.
        annotations: What a later command has to know about it.
    """

    run_id: str
    resolved: ResolvedRun
    cluster: ClusterRequest
    command: tuple[str, ...]
    environment: Mapping[str, str]
    volumes: tuple[Volume, ...]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def name(self) -> str:
        """Name of the object that carries the run."""
        return job_name(self.run_id)


def make_plan(
    run_id: str,
    resolved: ResolvedRun,
    cluster: ClusterRequest,
    *,
    accepted: tuple[str, ...] = (),
    words: ClusterOptions | None = None,
) -> Plan:
    """Put a plan together.

    Args:
        run_id: Id of the run.
        resolved: The run; its output folder does not matter.
        cluster: What it is given.
        accepted: Changes since its last checkpoint that are accepted, when it is continued.
        words: What was said of ``cluster``, to be kept for when the run is continued.

    Raises:
        RequestError: The id is none, or the pod would not see the data.
        UnknownNameError: There is no data set of this name.
    """
    check_run_id(run_id)
    refuse_invisible_data(resolved.config.data.source, cluster)
    request = resolved.request
    mode = resolved.config.mode
    labels = labels_of(run_id, resolved.config.algorithm, mode)
    if not request.competition:
        labels[LEVEL_LABEL] = mode
    return Plan(
        run_id=run_id,
        resolved=resolved,
        cluster=cluster,
        command=train_command(request, cluster.checkpoint_minutes, accepted),
        environment=MappingProxyType(dict(_environment(run_id, cluster))),
        volumes=tuple(_volumes(cluster)),
        labels=MappingProxyType(labels),
        annotations=MappingProxyType(
            {
                COMMAND_ANNOTATION: shlex.join(request.command()),
                REQUEST_ANNOTATION: resolved.config.digest,
                **({} if words is None else {WORDS_ANNOTATION: words.to_json()}),
            }
        ),
    )


def train_command(
    request: RunRequest, checkpoint_minutes: float = CHECKPOINT_MINUTES, accepted: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """What trains a request, in a pod or here.

    Args:
        request: The run.
        checkpoint_minutes: Longest time between two checkpoints.
        accepted: Changes since its last checkpoint that are accepted.
    """
    command = request.command()
    if checkpoint_minutes != CHECKPOINT_MINUTES:
        command += ["--checkpoint-minutes", f"{checkpoint_minutes:g}"]
    for change in accepted:
        command += ["--accept-change", change]
    return tuple(command)


def _environment(run_id: str, cluster: ClusterRequest) -> Iterator[tuple[str, str]]:
    yield "PHASE2_RUN_ID", run_id
    if cluster.image.digest is not None:
        yield "PHASE2_IMAGE_DIGEST", cluster.image.digest
    if cluster.store is not None:
        yield "PHASE2_STORE", cluster.store
    yield "PHASE2_CACHE_DIR", CACHE
    yield "PHASE2_TERMINATION_LOG", TERMINATION_LOG
    yield "HOME", "/tmp"  # noqa: S108 - a volume of the pod's own
    yield "OMP_NUM_THREADS", str(cluster.threads)


def _volumes(cluster: ClusterRequest) -> Iterator[Volume]:
    yield Volume("work", WORK, "folder")
    if cluster.cache is not None:
        yield Volume("cache", CACHE, "claim", cluster.cache)
    yield Volume("tmp", "/tmp", "folder")  # noqa: S108 - likewise
    yield Volume("shm", "/dev/shm", "memory")  # noqa: S108 - likewise
    yield Volume("ca", CA_FOLDER, "config", CA_CONFIG_MAP)


def refuse_invisible_data(source: str, cluster: ClusterRequest) -> None:
    """Refuse data that a pod would not see.

    Raises:
        RequestError: They are files of this machine.
        UnknownNameError: There is no data set of this name.
    """
    if source in CRYSTALS:
        return
    if source.startswith(f"{CACHE}/") and cluster.cache is not None:
        return
    if not any(character in source for character in "/\\.~"):
        raise UnknownNameError.of("data set", source, CRYSTALS)
    raise RequestError(
        f"--data {source} is not seen by a pod.",
        why="A path names a file of this machine, and the pod runs on another one.",
        fix=f"Name a data set ({', '.join(CRYSTALS)}), or copy the file to the PersistentVolumeClaim of the data "
        f"cache and give --cache CLAIM --data {CACHE}/FILE.",
    )
