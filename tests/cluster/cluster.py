"""The cluster itself: up, down, and the parts that a test may stop and start."""

import subprocess
import time
from collections.abc import Callable
from functools import cached_property

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

from . import addresses, builds, components
from .certificates import make_certificates
from .configuration import write_configuration
from .folders import Folders
from .host import prepare_host
from .leftovers import clear
from .network import make_bridge
from .processes import Processes
from .timings import step

_BEFORE_API = ("etcd", "containerd", "registry")
_AFTER_API = ("controller-manager", "scheduler", "kubelet", "proxy", "coredns")
_NOT_YET = (ApiException, ConfigException, urllib3.exceptions.HTTPError, OSError)


class Cluster:
    """A single-node Kubernetes on this machine."""

    namespace = "phase2"

    def __init__(self, folders: Folders | None = None) -> None:
        self.folders = folders or Folders.default()
        self.processes = Processes(self.folders)

    @property
    def kubeconfig(self) -> str:
        return str(self.folders.kubeconfig)

    def prepare(self) -> None:
        """Install and build what a cluster needs; takes minutes the first time and nothing afterwards."""
        prepare_host()
        builds.build_programs(self.folders)

    def start(self) -> None:
        """Start all components, after clearing what an earlier cluster may have left, and wait for a ready node."""
        with step("clear what was left"):
            clear(self.folders)
        self.__dict__.pop("api", None)
        with step("keys and configuration"):
            make_certificates(self.folders)
            write_configuration(self.folders)
            make_bridge()
        with step("API server ready"):
            self._start(*_BEFORE_API)
            self._start("apiserver")
            self.wait_for_api()
        with step("node ready"):
            self._start(*_AFTER_API)
            self.wait(self.node_ready, "the node to be ready", "kubelet")

    def down(self) -> None:
        """Stop everything and leave nothing but what was built."""
        self.__dict__.pop("api", None)  # the next cluster has other keys
        with step("cluster down"):
            clear(self.folders)

    def is_up(self) -> bool:
        """Whether the API answers and the node is ready."""
        if not self.folders.kubeconfig.exists():
            return False
        try:
            return self.node_ready()
        except _NOT_YET:
            return False

    # What tests look at -----------------------------------------------------------------------------------------------

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

    def kubectl(self, *words: str, stdin: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl in the tests' namespace."""
        command = [str(builds.kube(self.folders)), "kubectl", f"--kubeconfig={self.kubeconfig}", *words]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise RuntimeError(f"kubectl {' '.join(words)} failed: {done.stderr.strip()}")
        return done

    def node_ready(self) -> bool:
        node = self.core.read_node(addresses.NODE, _request_timeout=5)
        return any(each.type == "Ready" and each.status == "True" for each in node.status.conditions or [])

    # Parts that a test may stop and start -----------------------------------------------------------------------------

    def stop_apiserver(self) -> None:
        """Kill the API server, as a crash of its machine would."""
        self.processes.stop("apiserver", kill=True)

    def start_apiserver(self) -> None:
        self._start("apiserver")
        self.wait_for_api()

    def restart_containerd(self) -> None:
        """Kill the container runtime and start it again; containers go on running under their shims."""
        self.processes.stop("containerd", kill=True)
        self._start("containerd")

    # ------------------------------------------------------------------------------------------------------------------

    def wait_for_api(self) -> None:
        self.wait(self._api_answers, "the API server", "apiserver")

    def wait(self, condition: Callable[[], object], what: str, component: str, seconds: float = 60) -> None:
        """Wait until a condition holds; errors of the API meanwhile mean not yet.

        Raises:
            TimeoutError: It does not hold in time; the message ends with what the component said last.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if condition():
                    return
            except _NOT_YET:
                pass
            time.sleep(0.1)
        raise TimeoutError(f"Waited {seconds:.0f} s for {what}. {component}: {self.processes.last_words(component)}")

    def _api_answers(self) -> bool:
        client.CoreV1Api(self.api).read_namespace("default", _request_timeout=2)
        return True

    def _start(self, *names: str) -> None:
        commands = components.commands(self.folders)
        for name in names:
            self.processes.start(name, commands[name], {"OTEL_TRACES_EXPORTER": "none"})
