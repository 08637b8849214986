"""Faults: of a pod, its node, the container runtime and the store."""

import os
import signal
import time
from contextlib import suppress

from kubernetes import client
from tests.on_cluster.lab.cluster import Cluster
from tests.on_cluster.lab.cluster_base import ClusterBase
from tests.on_cluster.lab.pods import CONTAINER
from tests.on_cluster.lab.services.minio import NAMESPACE as MINIO_NAMESPACE
from tests.on_cluster.lab.services.minio import Minio


def delete(cluster: ClusterBase, pod: str) -> None:
    """Delete a pod, as a user or a controller does."""
    cluster.core.delete_namespaced_pod(pod, cluster.namespace)


def evict(cluster: ClusterBase, pod: str) -> None:
    """Evict a pod through the API, as a drain or an autoscaler does."""
    eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name=pod, namespace=cluster.namespace))
    cluster.core.create_namespaced_pod_eviction(pod, cluster.namespace, eviction)


def kill(cluster: Cluster, pod: str, container: str = CONTAINER) -> None:
    """Send SIGKILL to the process of a pod; does nothing if it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(process_of(cluster, pod, container), signal.SIGKILL)


def run_out_of_memory(cluster: ClusterBase, pod: str, container: str = CONTAINER) -> None:
    """Exhaust the memory of a container with processes so small that the kernel kills the one that trains."""
    cluster.kubectl("exec", pod, "--container", container, "--", "python3", "-c", _HOGS, check=False)


_HOGS = """
import os, signal
for _ in range(40):
    if not os.fork():
        kept = b"x" * (1 << 26)
        signal.pause()
signal.pause()
"""


def drain(cluster: ClusterBase) -> None:
    """Drain the runs from the node; the store, which is elsewhere in production, stays."""
    ours = "--pod-selector=app.kubernetes.io/name=phase2"
    cluster.kubectl("drain", cluster.node, ours, "--delete-emptydir-data", "--force", "--timeout=120s")


def uncordon(cluster: ClusterBase) -> None:
    cluster.kubectl("uncordon", cluster.node)


def kill_minio_while_it_writes(cluster: Cluster, minio: Minio, seconds: float = 60) -> None:
    """Kill MinIO while a file is partly written, and wait until it is back."""
    process = _process_named(cluster, "minio")
    unfinished = cluster.folders.state / "minio" / ".minio.sys" / "tmp"
    deadline = time.monotonic() + seconds
    while not any(path.name.startswith(("xl.", "part.")) for path in unfinished.rglob("*")):
        if time.monotonic() > deadline:
            raise TimeoutError("No upload was seen.")
    os.kill(process, signal.SIGKILL)
    minio.wait()


def process_of(cluster: Cluster, pod: str, container: str = CONTAINER) -> int:
    """Return the id on the host of the first process of a pod's container."""
    return _first_process(cluster, cluster.core.read_namespaced_pod(pod, cluster.namespace), container)


def _process_named(cluster: Cluster, app: str) -> int:
    (pod,) = cluster.core.list_namespaced_pod(MINIO_NAMESPACE, label_selector=f"app={app}").items
    return _first_process(cluster, pod, app)


def _first_process(cluster: Cluster, pod, container: str) -> int:
    (found,) = (each.container_id for each in pod.status.container_statuses if each.name == container)
    tasks = cluster.folders_of(pod.spec.node_name).containerd_state / "io.containerd.runtime.v2.task" / "k8s.io"
    folder = tasks / found.removeprefix("containerd://")
    return int((folder / "init.pid").read_text())


def second_job(cluster: ClusterBase, job) -> None:
    """Start another Job for the same run, as two independent users might."""
    made = client.ApiClient().sanitize_for_serialization(job)
    labels = made["metadata"]["labels"]
    template = made["spec"]["template"]
    for name in ("controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name"):
        template["metadata"]["labels"].pop(name, None)
    made["spec"].pop("selector", None)
    made["metadata"] = {"name": f"{made['metadata']['name']}-twin", "labels": labels}
    made.pop("status", None)
    cluster.batch.create_namespaced_job(cluster.namespace, made)
