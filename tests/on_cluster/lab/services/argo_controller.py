"""Argo Workflows: its kinds, and its controller as a process of this machine, like those of Kubernetes.

The controller has the service account and the rights of Argo's own installation, by which admission policies know it.
"""

import json
from pathlib import Path
from typing import Any

import yaml
from tests.on_cluster.lab.building import builds, images
from tests.on_cluster.lab.cluster import Cluster
from tests.on_cluster.lab.services.argo_crds import GROUP
from tests.on_cluster.lab.services.definitions import wait_until_served
from tests.on_cluster.lab.timings import step

NAMESPACE = "argo"
_NAME, _ACCOUNT = "workflow-controller", "argo"
_DEFINITIONS = Path("manifests") / "base" / "crds" / "minimal"
_RIGHTS = Path("manifests") / "cluster-install-no-crds" / "workflow-controller-rbac"
_SETTINGS = {"metricsConfig": "enabled: false\n", "telemetryConfig": "enabled: false\n"}


class ArgoController:
    """Real Argo Workflows for the duration of a block: its kinds at first, and its controller from :meth:`start` on.

    The controller lists the templates that are there when it starts; of those that come later it learns in a while.

    Args:
        cluster: The cluster that it acts on.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._definitions = builds.argo_sources() / _DEFINITIONS
        self._rights = builds.argo_sources() / _RIGHTS

    def __enter__(self) -> "ArgoController":
        builds.argo(self._cluster.folders)
        with step("Argo's kinds ready"):
            self._install()
        return self

    def start(self) -> None:
        """Start the controller."""
        folders = self._cluster.folders
        program, executor = builds.argo_controller(folders), images.argo_executor_image(folders)
        with step("Argo's controller ready"):
            words = [f"--kubeconfig={self._kubeconfig()}", f"--namespace={NAMESPACE}", f"--executor-image={executor}"]
            environment = {"LEADER_ELECTION_DISABLE": "true", "DEFAULT_REQUEUE_TIME": "1s"}
            self._cluster.processes.start(_NAME, [str(program), *words], environment)

    def __exit__(self, *_: object) -> None:
        self._cluster.processes.stop(_NAME)
        self._cluster.kubectl("delete", "--ignore-not-found", "-k", str(self._definitions))
        self._cluster.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=self._identity())

    def log_tail(self) -> str:
        """Return the end of its log."""
        return self._cluster.processes.log_tail(_NAME)

    def _install(self) -> None:
        forced = ["apply", "--server-side", "--force-conflicts"]
        self._cluster.kubectl(*forced, "-f", "-", stdin=self._identity())
        self._cluster.kubectl(*forced, "-k", str(self._definitions))
        wait_until_served(self._cluster, GROUP)

    def _identity(self) -> str:
        """Return the namespace, the settings, the account and the rights of the controller."""
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        named = {"name": "workflow-controller-configmap", "namespace": NAMESPACE}
        settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, "data": _SETTINGS}
        named = {"name": _ACCOUNT, "namespace": NAMESPACE}
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": named}
        return yaml.safe_dump_all([namespace, settings, account, *self._roles()])

    def _roles(self) -> list[dict[str, Any]]:
        """Return Argo's roles and bindings, in its namespace."""
        paths = sorted(self._rights.glob("workflow-controller-*.yaml"))
        roles: list[dict[str, Any]] = [one for path in paths for one in yaml.safe_load_all(path.read_text()) if one]
        for one in roles:
            if not one["kind"].startswith("Cluster"):
                one["metadata"]["namespace"] = NAMESPACE
            for subject in one.get("subjects", []):
                subject["namespace"] = NAMESPACE
        return roles

    def _kubeconfig(self) -> Path:
        """Write a kubeconfig of the controller's account."""
        words = ["create", "token", _ACCOUNT, f"--namespace={NAMESPACE}", "--duration=24h"]
        token = self._cluster.kubectl(*words).stdout.strip()
        settings = json.loads(self._cluster.folders.kubeconfig.read_text())
        settings["users"][0]["user"] = {"token": token}
        file = self._cluster.folders.keys / f"{_NAME}.conf"
        file.write_text(json.dumps(settings))
        return file
