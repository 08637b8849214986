"""The cluster of this machine: up, down, and the components that a test may stop and start."""

from kubernetes import client
from tests.on_cluster.lab.building import builds
from tests.on_cluster.lab.cluster_base import ClusterBase
from tests.on_cluster.lab.folders import Folders
from tests.on_cluster.lab.node import addresses, components
from tests.on_cluster.lab.node.certificates import make_certificates
from tests.on_cluster.lab.node.configuration import write_configuration
from tests.on_cluster.lab.node.leftovers import clear
from tests.on_cluster.lab.node.network import make_bridge
from tests.on_cluster.lab.node.processes import Processes
from tests.on_cluster.lab.node.second import SecondNode
from tests.on_cluster.lab.pods import CONTAINER
from tests.on_cluster.lab.timings import step

_BEFORE_API = ("etcd", "containerd", "registry")
_AFTER_API = ("controller-manager", "scheduler", "kubelet", "proxy", "coredns")


class Cluster(ClusterBase):
    """Kubernetes of one node, or two for a while, whose components are processes of this machine."""

    def __init__(self, folders: Folders | None = None) -> None:
        self.folders = folders or Folders.default()
        self.processes = Processes(self.folders)
        super().__init__(str(self.folders.kubeconfig), (str(builds.kube_path(self.folders)), "kubectl"))

    @property
    def node(self) -> str:
        """Name of its first node, which is always there."""
        return addresses.NODE

    def start(self) -> None:
        """Start all components, after clearing the remains of an earlier cluster, and wait for a ready node."""
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
        """Stop everything; only what was built stays."""
        self.__dict__.pop("api", None)  # the next cluster has other keys
        with step("cluster down"):
            clear(self.folders)

    def is_up(self) -> bool:
        """Whether the API answers and the node is ready."""
        return self.folders.kubeconfig.exists() and self.holds(self.node_ready)

    def log(self, pod, container: str = CONTAINER) -> str:
        """Return the log of a container so far, read on the node: it needs no API server."""
        name = f"{pod.metadata.namespace}_{pod.metadata.name}_{pod.metadata.uid}"
        files = sorted((self.folders_of(pod.spec.node_name).state / "pods" / name / container).glob("*.log"))
        lines = [line for file in files for line in file.read_text(errors="replace").splitlines()]
        return "\n".join(line.split(" ", 3)[-1] for line in lines)  # behind time, stream and kind

    def folders_of(self, node: str | None) -> Folders:
        """Return the folders of a node, by its name."""
        return self.folders.second if node == SecondNode.name else self.folders

    def log_tail(self, component: str) -> str:
        return self.processes.log_tail(component)

    # Components that a test may stop ----------------------------------------------------------------------------------

    def stop_apiserver(self) -> None:
        """Kill the API server, as a crash of its machine would."""
        self.processes.stop("apiserver", kill=True)

    def start_apiserver(self) -> None:
        self._start("apiserver")
        self.wait_for_api()

    def restart_containerd(self) -> None:
        """Kill the container runtime and start it again; containers keep running under their shims."""
        self.processes.stop("containerd", kill=True)
        self._start("containerd")

    def add_second_node(self) -> SecondNode:
        """Start a second node, and wait until it is ready."""
        added = SecondNode(self.folders)
        with step("second node ready"):
            added.start()
            self.wait(lambda: self.node_ready(added.name), "the second node to be ready", "kubelet-2")
        return added

    def remove_second_node(self, node: SecondNode) -> None:
        """Stop the second node, and delete it with its pods."""
        node.remove()
        self.kubectl("delete", "node", node.name, "--ignore-not-found")

    # ------------------------------------------------------------------------------------------------------------------

    def wait_for_api(self) -> None:
        self.wait(self._api_answers, "the API server", "apiserver")

    def _api_answers(self) -> bool:
        client.CoreV1Api(self.api).read_namespace("default", _request_timeout=2)
        return True

    def _start(self, *names: str) -> None:
        commands = components.commands(self.folders)
        for name in names:
            self.processes.start(name, commands[name], components.ENVIRONMENT)
