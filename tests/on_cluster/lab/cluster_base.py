"""Base of the test clusters: everything that goes through the API of a cluster, wherever it runs."""

import subprocess
import time
from collections.abc import Callable
from functools import cached_property

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

_NOT_YET = (ApiException, ConfigException, urllib3.exceptions.HTTPError, OSError)


class ClusterBase:
    """Kubernetes cluster with a namespace for runs.

    Args:
        kubeconfig: Kubeconfig of an administrator; the namespace of its context is that of runs.
        kubectl: Command that runs kubectl.
    """

    namespace = "phase2"

    def __init__(self, kubeconfig: str, kubectl: tuple[str, ...] = ("kubectl",)) -> None:
        self.kubeconfig = kubeconfig
        self._kubectl = kubectl

    @cached_property
    def api(self) -> client.ApiClient:
        """API client of an administrator."""
        settings = client.Configuration()
        config.load_kube_config(self.kubeconfig, client_configuration=settings)
        settings.retries = False
        return client.ApiClient(settings)

    @property
    def core(self) -> client.CoreV1Api:
        return client.CoreV1Api(self.api)

    @property
    def batch(self) -> client.BatchV1Api:
        return client.BatchV1Api(self.api)

    @property
    def node(self) -> str:
        """Name of its only node."""
        (node,) = self.core.list_node().items
        return str(node.metadata.name)

    def node_ready(self, name: str | None = None) -> bool:
        """Whether a node is ready, or any."""
        nodes = self.core.list_node(_request_timeout=5).items
        conditions = [
            each for node in nodes if name in (None, node.metadata.name) for each in node.status.conditions or []
        ]
        return any(each.type == "Ready" and each.status == "True" for each in conditions)

    def kubectl(self, *words: str, stdin: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl in the tests' namespace."""
        command = [*self._kubectl, f"--kubeconfig={self.kubeconfig}", *words]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise RuntimeError(f"kubectl {' '.join(words)} failed: {done.stderr.strip()}")
        return done

    def log(self, pod) -> str:
        """Return the log of a pod so far; empty before it started."""
        try:
            return str(self.core.read_namespaced_pod_log(pod.metadata.name, pod.metadata.namespace))
        except ApiException as error:
            if error.status in {400, 404}:  # it has not started, or was deleted
                return ""
            raise

    def wait(self, condition: Callable[[], object], what: str, component: str, seconds: float = 120) -> None:
        """Wait until a condition holds; an API error counts as not yet.

        Raises:
            TimeoutError: It does not hold in time; the message ends with the log of the component.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.holds(condition):
                return
            time.sleep(0.1)
        raise TimeoutError(f"Waited {seconds:.0f} s for {what}. {component}: {self.log_tail(component)}")

    @staticmethod
    def holds(condition: Callable[[], object]) -> bool:
        """Whether a condition holds; False if the API does not answer."""
        try:
            return bool(condition())
        except _NOT_YET:
            return False

    def log_tail(self, component: str) -> str:
        """Return the end of a component's log, if it is accessible."""
        return f"the log of the {component} of this cluster is not accessible"
