"""Workflows that a real controller executes, submitted with Argo's command line."""

import os
import subprocess
from collections.abc import Container, Mapping
from typing import Any

from kubernetes import client
from tests.argo.manifests import ARGO, TEMPLATES, documents, parameters_of
from tests.on_cluster.lab.building import builds
from tests.on_cluster.lab.cluster import Cluster
from tests.on_cluster.lab.services.argo_controller import ArgoController
from tests.on_cluster.lab.services.argo_crds import GROUP, VERSION
from tests.on_cluster.lab.waiting import wait_until
from tests.on_cluster.support.runs import whole_run

from phase2.cluster.status.nodes import Node, nodes_of
from phase2.runs.catalog.lookup import find_in
from phase2.runs.publish.reader import PublishedRun
from phase2.storage.s3.store import S3Store

_WORKFLOWS = (GROUP, VERSION, Cluster.namespace, "workflows")
TINY = {"algorithm": "cgcnn", "level": "smoke", "max_samples": "60", "epochs": "2"}
LONGER = TINY | {"max_samples": "200", "batch_size": "8", "epochs": "80"}
"""A run that is long enough for a fault."""
ENDED = {"Succeeded", "Failed", "Error"}


class Workflows:
    """Workflows in the namespace of runs.

    Args:
        cluster: The cluster.
        argo: The controller.
        common: Parameters of all Workflows.
    """

    def __init__(self, cluster: Cluster, argo: ArgoController, common: Mapping[str, str]) -> None:
        self.cluster = cluster
        self._argo, self._common = argo, dict(common)
        self._api = client.CustomObjectsApi(cluster.api)

    def submit(self, file: str, **parameters: str) -> str:
        """Submit a file of the folder argo; parameters are written with ``_`` for ``-``.

        Returns:
            The name of the Workflow.
        """
        template = documents(ARGO / file)[0]["spec"]["workflowTemplateRef"]["name"]
        return self._submit([str(ARGO / file)], parameters_of(TEMPLATES[template]), parameters)

    def submit_from(self, template: str, *words: str, **parameters: str) -> str:
        """Submit a WorkflowTemplate as it is installed; returns the name of the Workflow.

        Args:
            template: Its name.
            words: Further options of Argo's command line.
            parameters: Values of its parameters.
        """
        source = [f"--from=workflowtemplate/{template}", *words]
        return self._submit(source, parameters_of(TEMPLATES[template]), parameters)

    def _submit(self, source: list[str], known: Container[str], parameters: Mapping[str, str]) -> str:
        asked = self._common | {name.replace("_", "-"): value for name, value in parameters.items()}
        words = [word for name, value in asked.items() if name in known for word in ("-p", f"{name}={value}")]
        return self.argo("submit", *source, *words, "--output=name").strip()

    def argo(self, *words: str, check: bool = True) -> str:
        """Run Argo's command line; returns its output."""
        environment = os.environ | {"KUBECONFIG": self.cluster.kubeconfig}
        command = [str(builds.argo(self.cluster.folders)), *words, "--namespace", self.cluster.namespace]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise RuntimeError(f"argo {' '.join(words)} failed: {done.stderr.strip()}")
        return done.stdout + done.stderr

    def get(self, name: str) -> dict[str, Any]:
        return self._api.get_namespaced_custom_object(*_WORKFLOWS, name)

    def all(self) -> list[dict[str, Any]]:
        return self._api.list_namespaced_custom_object(*_WORKFLOWS)["items"]

    def phase(self, name: str) -> str:
        return (self.get(name).get("status") or {}).get("phase") or ""

    def nodes(self, name: str, step: str = "") -> list[Node]:
        """Return the attempts of its steps, or of one, in the order of their start."""
        return [node for node in nodes_of(self.get(name)) if node.is_pod and (not step or node.step.startswith(step))]

    def outputs(self, name: str) -> dict[str, str]:
        """Return the output parameters of a Workflow."""
        found = (self.get(name)["status"].get("outputs") or {}).get("parameters") or []
        return {one["name"]: one["value"] for one in found}

    def pods(self, name: str, step: str) -> list[Any]:
        """Return the existing pods of a step, oldest first."""
        chosen = f"workflows.argoproj.io/workflow={name}"
        found = self.cluster.core.list_namespaced_pod(self.cluster.namespace, label_selector=chosen).items
        ours = [pod for pod in found if f".{step}" in pod.metadata.annotations["workflows.argoproj.io/node-name"]]
        return sorted(ours, key=lambda pod: pod.metadata.creation_timestamp)

    def wait(self, name: str, seconds: float = 400) -> str:
        """Wait until a Workflow ends; returns its last phase."""

        def ended() -> str | None:
            phase = self.phase(name)
            return phase if phase in ENDED else None

        return str(wait_until(ended, f"{name} to end", seconds, lambda: self.describe(name)))

    def succeed(self, *names: str) -> None:
        """Wait until all have succeeded."""
        for name in names:
            assert self.wait(name) == "Succeeded", self.describe(name)

    def describe(self, name: str) -> str:
        """Describe a Workflow for the message of a failure."""
        status = self.get(name).get("status") or {}
        nodes = [f"{n.step} {n.attempt}: {n.phase} {n.code} {n.message}" for n in self.nodes(name)]
        return "\n".join([f"{status.get('phase')}: {status.get('message')}", *nodes, self._argo.log_tail()])


def published(store: S3Store, run_id: str) -> PublishedRun:
    """Return a finished run, once it is known to be whole."""
    return whole_run(store, find_in(store, run_id).prefix)
