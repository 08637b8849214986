"""A namespace that holds a release of the chart, and what is found in it."""

import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from tests.chart.rendering import CHART, Helm
from tests.on_cluster.lab.cluster import Cluster
from tests.on_cluster.lab.services import minio, tenant
from tests.on_cluster.lab.services.store import IN_CLUSTER

RELEASE, SUFFIX = "phase2", "-chart"
_RUNNER = 10001
# What Kubernetes itself puts into every namespace, and Helm's record of the release, which goes with it.
_NOT_INSTALLED = {"ConfigMap/kube-root-ca.crt", "ServiceAccount/default"}
_FLEETING = ("events", "events.events.k8s.io", "endpoints", "endpointslices.discovery.k8s.io")
_CLUSTER_SCOPED = (
    "priorityclasses.scheduling.k8s.io",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
)


class ChartNamespace:
    """A namespace with restricted Pod Security and the keys of the store, as an administrator prepares it.

    Args:
        cluster: The cluster.
        helm: The program.
        name: The namespace.
        folder: Where Helm keeps its settings, and the volume of the data cache lies.
        release: Name of the release.
    """

    def __init__(self, cluster: Cluster, helm: Helm, name: str, folder: Path, release: str = RELEASE) -> None:
        self.cluster = cluster
        self.name, self.release = name, release
        self._program, self._folder = helm, folder
        self._kubeconfig = cluster.kubeconfig

    @contextmanager
    def set_up(self, *, keys: bool = True, volume: bool = True):
        """Create the namespace for the duration of a block, and a volume for its cache."""
        labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
        things = [_object("v1", "Namespace", self.name, labels=labels), *([self.volume()] if volume else [])]
        if keys:
            secret = tenant.secret("phase2-s3")
            things.append(secret | {"metadata": {"name": "phase2-s3", "namespace": self.name}})
        everything = {"apiVersion": "v1", "kind": "List", "items": things}
        self.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(everything))
        try:
            yield self
        finally:
            self("uninstall", self.release, "--ignore-not-found", check=False)
            self.cluster.kubectl("delete", "namespace", self.name, "--ignore-not-found", "--timeout=120s")
            self.cluster.kubectl("delete", "pv", f"{self.name}-cache", "--ignore-not-found", "--wait=false")

    def __call__(self, *words, check=True):
        """Run Helm in the namespace."""
        homes = {f"HELM_{name}_HOME": str(self._folder / name) for name in ("CACHE", "CONFIG", "DATA")}
        place = ["--namespace", self.name, "--kubeconfig", self._kubeconfig]
        done = self._program(*words, *place, check=False, env=os.environ | homes)
        if check and done.returncode:
            raise AssertionError(f"helm {words} failed: {done.stdout}\n{done.stderr}\n{self.described()}")
        return done

    def install(self, *words, chart: Path = CHART, check: bool = True):
        return self("upgrade", self.release, chart, "--install", "--wait", "--timeout", "5m", *words, check=check)

    def test(self, *, check: bool = True):
        """Run the tests of the release."""
        return self("test", self.release, "--timeout", "10m", check=check)

    def values(self, image: str, store: str) -> list[str]:
        """Return options that set the image and the store of the tests."""
        repository, _, digest = image.partition("@")
        values = {
            "image.repository": repository,
            "image.digest": digest,
            "store.url": store,
            "store.endpoint": IN_CLUSTER,
            "network.storeNamespace": minio.NAMESPACE,
            "pods.cpu": "250m",
            "pods.memory": "2Gi",
            "clusterSuffix": SUFFIX,
        }
        return [word for name, value in values.items() for word in ("--set-string", f"{name}={value}")]

    def kubectl(self, *words, check: bool = True, stdin: str | None = None) -> str:
        return self.cluster.kubectl(*words, "--namespace", self.name, check=check, stdin=stdin).stdout

    def uid(self, kind: str, name: str) -> str:
        """Return the uid of an object."""
        return self.kubectl("get", kind, name, "--output=jsonpath={.metadata.uid}")

    def objects(self) -> set[str]:
        """Return all objects of the namespace except those of Kubernetes itself, as Kind/name."""
        kinds = self.cluster.kubectl("api-resources", "--namespaced", "--verbs=list", "--output=name").stdout.split()
        listed = json.loads(self.kubectl("get", ",".join(set(kinds) - set(_FLEETING)), "--output=json"))["items"]
        return {f"{one['kind']}/{one['metadata']['name']}" for one in listed} - _NOT_INSTALLED

    def cluster_scoped(self, suffix: str = SUFFIX) -> set[str]:
        """Return the cluster-scoped objects of the release, or of the one with another ending."""
        words = [
            "get",
            ",".join(_CLUSTER_SCOPED),
            "--output=json",
            f"--selector=app.kubernetes.io/instance={self.release}",
        ]
        listed = json.loads(self.cluster.kubectl(*words).stdout)["items"]
        names = {f"{one['kind']}/{one['metadata']['name']}" for one in listed}
        return {name for name in names if name.endswith(suffix)}

    def described(self) -> str:
        """Describe pods and Jobs for the message of a failure."""
        return self.kubectl("describe", "pods,jobs", check=False)[-4000:]

    @contextmanager
    def acting_as(self, kubeconfig: Path):
        """Use another kubeconfig for the duration of a block."""
        mine, self._kubeconfig = self._kubeconfig, str(kubeconfig)
        try:
            yield self
        finally:
            self._kubeconfig = mine

    def volume(self) -> dict:
        """Return the volume of its cache."""
        place = self._folder / "cache"
        place.mkdir(exist_ok=True)
        shutil.chown(place, _RUNNER, _RUNNER)
        spec = {
            "capacity": {"storage": "20Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": self.name, "name": "phase2-data-cache"},
            "hostPath": {"path": str(place)},
        }
        return _object("v1", "PersistentVolume", f"{self.name}-cache") | {"spec": spec}


def _object(version: str, kind: str, name: str, **metadata) -> dict:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **metadata}}
