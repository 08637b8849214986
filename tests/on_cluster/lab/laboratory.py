"""The whole laboratory: the cluster with its store, its tenant and the image that trains."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.on_cluster.lab.building import builds, images, registry
from tests.on_cluster.lab.cluster import Cluster
from tests.on_cluster.lab.folders import Folders
from tests.on_cluster.lab.node import components
from tests.on_cluster.lab.node.configuration import write_configuration
from tests.on_cluster.lab.node.host import prepare_host
from tests.on_cluster.lab.pods import Pods, restricted_pod
from tests.on_cluster.lab.services.minio import Minio
from tests.on_cluster.lab.services.tenant import make_tenant
from tests.on_cluster.lab.timings import step

from phase2.storage.disk.lock import wait_for_lock

_PULL_SECONDS = 600


@contextmanager
def alone(folders: Folders) -> Iterator[None]:
    """Hold the machine's only cluster for the duration of a block; wait until it is free."""
    folders.root.mkdir(parents=True, exist_ok=True)
    with wait_for_lock(folders.lock, purpose="using the test cluster"):
        yield


def is_complete(cluster: Cluster) -> bool:
    """Whether the cluster was started completely and is still up."""
    return _mark(cluster).exists() and cluster.is_up()


def prepare(cluster: Cluster) -> None:
    """Install and build what a cluster needs; takes minutes the first time.

    Raises:
        ClusterUnavailableError: This machine cannot run a cluster.
    """
    prepare_host()
    if not builds.are_built(cluster.folders):
        build(cluster)


def up(cluster: Cluster) -> None:
    """Start what is not up yet: the cluster, its store and the namespace of runs."""
    prepare(cluster)
    if not is_complete(cluster):
        cluster.start()
        folders = cluster.folders
        small = [images.pause_image(folders), images.minio_image(folders)]
        with step("MinIO ready, and a namespace for runs"):
            Minio(cluster).deploy(small[1])
            make_tenant(cluster)
        _mark(cluster).touch()


def image(cluster: Cluster) -> str:
    """Put the image that trains on the node.

    Returns:
        Its name at its digest.
    """
    made = images.phase2_image(cluster.folders)
    pull(cluster, made, cluster.node)
    return made


def pull(cluster: Cluster, made: str, node: str) -> None:
    """Put an image on a node, in place of earlier ones of its name."""
    folders = cluster.folders_of(node)
    if images.is_on_node(folders, made):
        return
    with step(f"{node} pulls {made.partition('@')[0]}"):
        # A pod, and not the runtime's own client: the kubelet's way does not keep the packed layers as well.
        pod = restricted_pod("pulls", made, "true")
        pod["spec"]["nodeName"] = node
        Pods(cluster).run(pod, _PULL_SECONDS)
    images.leave_on_node(folders, made)


def build(cluster: Cluster) -> None:
    """Build programs and images without a cluster, concurrently: images mostly wait for network and disk."""
    prepare_host()
    folders = cluster.folders
    with _registry(cluster), ThreadPoolExecutor(1) as pool:
        programs = pool.submit(_build_programs, folders)
        for make in (images.pause_image, images.phase2_image, images.minio_image):
            make(folders)
        programs.result()


def _build_programs(folders: Folders) -> None:
    for make in (builds.kube, builds.coredns):
        make(folders)


@contextmanager
def _registry(cluster: Cluster) -> Iterator[None]:
    """Provide a registry for the duration of a block: the cluster's, or a separate one."""
    if registry.answers():
        yield
        return
    cluster.folders.keys.mkdir(parents=True, exist_ok=True)
    write_configuration(cluster.folders)
    cluster.processes.start("registry", components.registry(cluster.folders), components.ENVIRONMENT)
    try:
        cluster.wait(registry.answers, "the registry", "registry")
        yield
    finally:
        cluster.down()


def _mark(cluster: Cluster) -> Path:
    return cluster.folders.state / "complete"
