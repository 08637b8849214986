"""A cluster that tests reach through its API, wherever it runs."""

import subprocess
import time
from collections.abc import Callable
from functools import cached_property

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

_NOT_YET = (ApiException, ConfigException, urllib3.exceptions.HTTPError, OSError)


class ReachedCluster:
    """A Kubernetes with a namespace for runs.

    Args:
        kubeconfig: Leads to it with the rights of an administrator; the namespace of its context is that of runs.
        kubectl: The program.
    """

    namespace = "phase2"

    def __init__(self, kubeconfig: str, kubectl: tuple[str, ...] = ("kubectl",)) -> None:
        self.kubeconfig = kubeconfig
        self._kubectl = kubectl

    @cached_property
    def api(self) -> client.ApiClient:
        """A client of the API, with the rights of an administrator."""
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

    def node_ready(self) -> bool:
        nodes = self.core.list_node(_request_timeout=5).items
        conditions = [each for node in nodes for each in node.status.conditions or []]
        return any(each.type == "Ready" and each.status == "True" for each in conditions)

    def kubectl(self, *words: str, stdin: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl in the tests' namespace."""
        command = [*self._kubectl, f"--kubeconfig={self.kubeconfig}", *words]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise RuntimeError(f"kubectl {' '.join(words)} failed: {done.stderr.strip()}")
        return done

    def log(self, pod) -> str:
        """What a pod said so far; nothing before it began."""
        try:
            return str(self.core.read_namespaced_pod_log(pod.metadata.name, pod.metadata.namespace))
        except ApiException as error:
            if error.status in {400, 404}:  # it has not begun, or is gone
                return ""
            raise

    def wait(self, condition: Callable[[], object], what: str, component: str, seconds: float = 120) -> None:
        """Wait until a condition holds; errors of the API meanwhile mean not yet.

        Raises:
            TimeoutError: It does not hold in time; the message ends with what the component said last.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.holds(condition):
                return
            time.sleep(0.1)
        raise TimeoutError(f"Waited {seconds:.0f} s for {what}. {component}: {self.last_words(component)}")

    @staticmethod
    def holds(condition: Callable[[], object]) -> bool:
        """Whether a condition holds; an API that does not answer says no."""
        try:
            return bool(condition())
        except _NOT_YET:
            return False

    def last_words(self, component: str) -> str:
        """What a component said last, where that is known."""
        return f"the {component} of this cluster keeps its log to itself"
