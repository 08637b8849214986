"""Argo Workflows: its kinds, and its controller as a process of this machine, like those of Kubernetes."""

import json
from pathlib import Path

from tests.on_cluster.lab.building import builds, images
from tests.on_cluster.lab.cluster import Cluster
from tests.on_cluster.lab.timings import step

NAMESPACE = "argo"
_NAME = "workflow-controller"
_DEFINITIONS = Path("manifests") / "base" / "crds" / "minimal"
_SETTINGS = {"metricsConfig": "enabled: false\n", "telemetryConfig": "enabled: false\n"}


class ArgoController:
    """Real Argo Workflows for the duration of a block.

    Args:
        cluster: The cluster that it acts on.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._definitions = builds.argo_sources() / _DEFINITIONS

    def __enter__(self) -> "ArgoController":
        folders = self._cluster.folders
        builds.argo(folders)
        program, executor = builds.argo_controller(folders), images.argo_executor_image(folders)
        with step("Argo's controller ready"):
            self._install()
            words = ["--kubeconfig=admin.conf", f"--namespace={NAMESPACE}", f"--executor-image={executor}"]
            environment = {"LEADER_ELECTION_DISABLE": "true", "DEFAULT_REQUEUE_TIME": "1s"}
            self._cluster.processes.start(_NAME, [str(program), *words], environment)
        return self

    def __exit__(self, *_: object) -> None:
        self._cluster.processes.stop(_NAME)
        self._cluster.kubectl("delete", "--ignore-not-found", "-k", str(self._definitions))
        self._cluster.kubectl("delete", "--ignore-not-found", "namespace", NAMESPACE)

    def log_tail(self) -> str:
        """Return the end of its log."""
        return self._cluster.processes.log_tail(_NAME)

    def _install(self) -> None:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        metadata = {"name": "workflow-controller-configmap", "namespace": NAMESPACE}
        settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": _SETTINGS}
        both = {"apiVersion": "v1", "kind": "List", "items": [namespace, settings]}
        self._cluster.kubectl("apply", "-f", "-", stdin=json.dumps(both))
        forced = ["apply", "--server-side", "--force-conflicts"]
        self._cluster.kubectl(*forced, "-k", str(self._definitions))
        names = self._cluster.kubectl("get", "crd", "--output=name").stdout.split()
        ours = [name for name in names if name.endswith(".argoproj.io")]
        self._cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", *ours)
