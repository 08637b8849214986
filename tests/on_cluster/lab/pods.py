"""Pods of the tests: restricted like those that train, run to their end, with their logs."""

import time
from dataclasses import dataclass
from typing import Any

from kubernetes.client.exceptions import ApiException
from tests.on_cluster.lab.cluster_base import ClusterBase

CONTAINER = "train"


@dataclass(frozen=True)
class ProcessExit:
    """Exit code and log of a pod."""

    code: int
    log: str


class Pods:
    """Pods in the namespace of runs."""

    def __init__(self, cluster: ClusterBase) -> None:
        self._cluster = cluster

    def create(self, pod: dict[str, Any]) -> None:
        self._cluster.core.create_namespaced_pod(self._cluster.namespace, pod)

    def run(self, pod: dict[str, Any], seconds: float = 180) -> ProcessExit:
        """Create a pod, wait for its end, and delete it."""
        name = pod["metadata"]["name"]
        self.create(pod)
        try:
            self.wait(name, lambda status: status.phase in ("Succeeded", "Failed"), "to end", seconds)
            ended = self.status(name).container_statuses[0].state.terminated
            return ProcessExit(ended.exit_code, self.logs(name))
        finally:
            self.delete(name)

    def status(self, name: str):
        return self._cluster.core.read_namespaced_pod_status(name, self._cluster.namespace).status

    def logs(self, name: str) -> str:
        return self._cluster.core.read_namespaced_pod_log(name, self._cluster.namespace)

    def delete(self, name: str) -> None:
        """Delete a pod without a grace period; does nothing if it does not exist."""
        try:
            self._cluster.core.delete_namespaced_pod(name, self._cluster.namespace, grace_period_seconds=0)
        except ApiException as error:
            if error.status != 404:
                raise

    def wait(self, name: str, condition, what: str, seconds: float = 180) -> None:
        """Wait for a condition of a pod's status."""
        deadline = time.monotonic() + seconds
        while not condition(self.status(name)):
            if time.monotonic() > deadline:
                described = self._cluster.kubectl("describe", "pod", name, check=False).stdout
                raise TimeoutError(f"Waited {seconds:.0f} s for {name} {what}:\n{described[-2500:]}")
            time.sleep(0.1)


def restricted_pod(name: str, image: str, *command: str) -> dict[str, Any]:
    """Return a pod for restricted Pod Security, with settings and keys of the store; only /work is writable."""
    container = {
        "name": CONTAINER,
        "image": image,
        "command": list(command),
        "envFrom": [{"configMapRef": {"name": "phase2-store"}}, {"secretRef": {"name": "phase2-s3"}}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "work", "mountPath": "/work"}, {"name": "tmp", "mountPath": "/tmp"}],
    }
    spec = {
        "restartPolicy": "Never",
        "serviceAccountName": "phase2-runner",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "work", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
