"""The plan of a run on a cluster: everything a backend needs to build its object. Pure: nothing is contacted."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from phase2.cluster.labels import COMMAND_ANNOTATION, LEVEL_LABEL, OPTIONS_ANNOTATION, REQUEST_ANNOTATION, labels_of
from phase2.cluster.request.names import job_name
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.resources import ClusterRequest
from phase2.cluster.visibility import CACHE, refuse_invisible_data, refuse_invisible_model, refuse_invisible_split
from phase2.config.reproduce import reproducing_request
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import ResolvedRun
from phase2.config.settings import CHECKPOINT_MINUTES
from phase2.machine.rank import refuse_many_processes
from phase2.runs.layout import check_run_id

WORK, CA_FOLDER = "/work", "/etc/phase2/ca"
TERMINATION_LOG = "/dev/termination-log"

# Objects that an administrator provides in the namespace, by the names that k8s/base installs.
SERVICE_ACCOUNT = "phase2-runner"
STORE_CONFIG_MAP = "phase2-store"
CA_CONFIG_MAP = "phase2-ca"
CACHE_CLAIM = "phase2-data-cache"

VolumeKind = Literal["folder", "memory", "claim", "config"]


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of the pod.

    Attributes:
        name: Name of the volume.
        path: Mount path in the container.
        kind: ``folder`` is an emptyDir, ``memory`` an emptyDir in memory, ``claim`` a PersistentVolumeClaim, ``config``
            an optional ConfigMap.
        source: Name of the claim or ConfigMap.
        size: Size of a folder in memory, if it has one.
    """

    name: str
    path: str
    kind: VolumeKind
    source: str | None = None
    size: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Plan of a run on a cluster, independent of the backend.

    Attributes:
        run_id: Run id, shared by all attempts.
        resolved: The run.
        cluster: Resources and placement.
        options: Options of the cluster that ``cluster`` was made of.
        given: Those of them that were given, as opposed to those of the installation.
        command: Command line of the container.
        environment: Environment variables of the container, by name.
        volumes: Volumes of the pod.
        labels: Labels of all objects of the run.
        annotations: Annotations that later commands read.
    """

    run_id: str
    resolved: ResolvedRun
    cluster: ClusterRequest
    options: ClusterOptions
    given: ClusterOptions
    command: tuple[str, ...]
    environment: Mapping[str, str]
    volumes: tuple[Volume, ...]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def name(self) -> str:
        """Name of the object that executes the run."""
        return job_name(self.run_id)


def make_plan(
    run_id: str,
    resolved: ResolvedRun,
    cluster: ClusterRequest,
    *,
    accepted: tuple[str, ...] = (),
    options: ClusterOptions | None = None,
    given: ClusterOptions | None = None,
) -> Plan:
    """Make the plan of a run.

    Args:
        run_id: Run id.
        resolved: The run; its output folder is ignored.
        cluster: Resources and placement.
        accepted: Changes since the last checkpoint that a resumed run accepts.
        options: The options that ``cluster`` was made of; recorded so that a resumed run can reuse them.
        given: Those of them that were given, not the installation's; None is all.

    Raises:
        RequestError: The run id is invalid, the pod could not read the data, a batch has fewer crystals than there are
            processes, or no command makes the configuration.
        UnknownNameError: There is no data set of this name.
    """
    check_run_id(run_id)
    refuse_invisible_data(resolved.config.data.source, cluster)
    refuse_invisible_split(resolved.config.data.split_name, cluster)
    refuse_invisible_model(resolved.request.from_)
    refuse_many_processes(cluster.processes, resolved.config.training.batch_size)
    request = reproducing_request(resolved)
    resolved = replace(resolved, request=request)
    mode = resolved.config.mode
    labels = labels_of(run_id, resolved.config.algorithm, mode)
    if not request.competition:
        labels[LEVEL_LABEL] = mode
    return Plan(
        run_id=run_id,
        resolved=resolved,
        cluster=cluster,
        options=options or ClusterOptions(image=cluster.image.reference),
        given=given or options or ClusterOptions(image=cluster.image.reference),
        command=train_command(request, cluster.checkpoint_minutes, accepted),
        environment=MappingProxyType(dict(_environment(run_id, cluster))),
        volumes=tuple(_volumes(cluster)),
        labels=MappingProxyType(labels),
        annotations=MappingProxyType(
            {
                COMMAND_ANNOTATION: shlex.join(request.command()),
                REQUEST_ANNOTATION: resolved.config.digest,
                **({} if options is None else {OPTIONS_ANNOTATION: options.to_json()}),
            }
        ),
    )


def train_command(
    request: RunRequest, checkpoint_minutes: float = CHECKPOINT_MINUTES, accepted: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Return the command line that trains a request, in a pod or on this machine.

    Args:
        request: The request.
        checkpoint_minutes: Longest time between two checkpoints.
        accepted: Changes since the last checkpoint that a resumed run accepts.
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
    yield "HOME", "/tmp"  # noqa: S108 - a volume of the pod
    yield "OMP_NUM_THREADS", str(cluster.threads)
    yield from cluster.gpu_variables().items()


def _volumes(cluster: ClusterRequest) -> Iterator[Volume]:
    yield Volume("work", WORK, "folder")
    if cluster.cache is not None:
        yield Volume("cache", CACHE, "claim", cluster.cache)
    yield Volume("tmp", "/tmp", "folder")  # noqa: S108 - likewise
    size = None if cluster.shared_memory is None else cluster.shared_memory.text
    yield Volume("shm", "/dev/shm", "memory", size=size)  # noqa: S108 - likewise
    yield Volume("ca", CA_FOLDER, "config", CA_CONFIG_MAP)
