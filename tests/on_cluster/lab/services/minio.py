"""MinIO in the cluster: a Deployment with a volume behind a Service, which the host can reach as well."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from tests.on_cluster.lab.cluster import Cluster
from tests.on_cluster.lab.node import addresses, network
from tests.on_cluster.lab.services.store import BUCKET, ClusterStore
from tests.on_cluster.lab.waiting import wait_until

from phase2.testing.stores.s3_servers import S3Server

NAMESPACE = "minio"
KEY, SECRET = "phase2-cluster-key", "phase2-cluster-secret"
STORE = f"s3://{BUCKET}"
_PORT = 9000


class Minio(ClusterStore):
    """Object store of the cluster that the tests start."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(S3Server(f"http://{addresses.MINIO_SERVICE}:{_PORT}", KEY, SECRET))
        self._cluster = cluster

    def deploy(self, image: str) -> None:
        """Create the Deployment, wait until it responds, and create the bucket."""
        data = self._cluster.folders.state / "minio"
        data.mkdir(exist_ok=True)
        self._cluster.kubectl("apply", "-f", "-", stdin=json.dumps(_manifest(image, str(data))))
        self.wait()
        self.make_bucket(BUCKET)

    def wait(self, seconds: float = 60) -> None:
        """Wait until it serves requests through its Service."""
        wait_until(self._serves, "MinIO", seconds, self._described)

    def _serves(self) -> bool:
        try:
            self.client.list_buckets()
        except (BotoCoreError, ClientError):
            return False
        return True

    def _described(self) -> str:
        return self._cluster.kubectl("describe", "pods", f"--namespace={NAMESPACE}").stdout[-2000:]

    def restarts(self) -> int:
        """Return how often its container was restarted."""
        (pod,) = self._cluster.core.list_namespaced_pod(NAMESPACE, label_selector="app=minio").items
        return int(pod.status.container_statuses[0].restart_count)

    @contextmanager
    def blocked(self, address: str) -> Iterator[None]:
        """Drop all packets from a pod to MinIO for the duration of a block: the bucket is unreachable for the pod."""
        rule = ["FORWARD", "--protocol", "tcp", "--source", address, "--dport", str(_PORT), "--jump", "DROP"]
        rule += ["--match", "comment", "--comment", network.OUTAGE]
        subprocess.run(["iptables", "--wait", "--insert", *rule], check=True, capture_output=True)
        try:
            yield
        finally:
            subprocess.run(["iptables", "--wait", "--delete", *rule], check=True, capture_output=True)


def _manifest(image: str, folder: str) -> dict[str, object]:
    labels = {"app": "minio"}
    container = {
        "name": "minio",
        "image": image,
        "args": ["server", "/data", "--address", f":{_PORT}"],
        "env": [
            {"name": "MINIO_ROOT_USER", "value": KEY},
            {"name": "MINIO_ROOT_PASSWORD", "value": SECRET},
            {"name": "MINIO_UPDATE", "value": "off"},
        ],
        "ports": [{"containerPort": _PORT}],
        "readinessProbe": {"httpGet": {"path": "/minio/health/ready", "port": _PORT}, "periodSeconds": 1},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    pod = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "containers": [container],
        "volumes": [{"name": "data", "hostPath": {"path": folder}}],
    }
    metadata = {"name": "minio", "namespace": NAMESPACE}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    address = {"clusterIP": addresses.MINIO_SERVICE, "selector": labels, "ports": [{"port": _PORT}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": address}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    return {"apiVersion": "v1", "kind": "List", "items": [namespace, deployment, service]}
