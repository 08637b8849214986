"""A namespace under the policies of k8s/, and objects that people send to it."""

import copy
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from tests.on_cluster.lab.cluster_base import ClusterBase

from phase2.cluster.manifests.job import build_job
from phase2.cluster.plan import make_plan
from phase2.cluster.request.common_metadata import CommonMetadata
from phase2.cluster.request.image import Image
from phase2.cluster.request.resources import ClusterRequest
from phase2.cluster.transfer.job import transfer_job
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from tools.programs.kustomize import kustomize

NAMESPACE, SUFFIX = "jobs-admission", "-jobs-admission"
IMAGE = "registry.example.com/phase2"
DIGEST = "sha256:" + "0" * 64
CLAIMS = ["phase2-data-cache", "team-cache"]
K8S = Path(__file__).parents[3] / "k8s"

COMMON = CommonMetadata({"example.com/team": "crystals"}, {"example.com/contact": "crystals@example.com"})

_SETTINGS = {
    "approved": f"['{IMAGE}']",
    "byDigest": "false",
    "claims": str(CLAIMS),
    "runtimeClasses": "['sandbox']",
    "commonLabels": json.dumps(COMMON.labels),
    "commonAnnotations": json.dumps(COMMON.annotations),
}
_BASE = ("ServiceAccount", "Role", "RoleBinding")
_POLICIES = ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy")


@contextmanager
def admission(cluster: ClusterBase, folder: Path, *, components: tuple[str, ...]) -> Iterator[None]:
    """Install roles and policies of k8s/ in a namespace of their own for the duration of a block.

    Args:
        cluster: The cluster.
        folder: An empty folder.
        components: Components beside the base.
    """
    manifests = list(_manifests(folder, components))
    try:
        cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([_namespace(), *manifests]))
        yield
    finally:
        outside = [one for one in manifests if "namespace" not in one["metadata"]]
        cluster.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=yaml.safe_dump_all(outside))
        cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


@contextmanager
def owner_stamp(cluster: ClusterBase, folder: Path) -> Iterator[None]:
    """Have the server itself write the owner of each run for the duration of a block."""
    made = [one for one in _manifests(folder, ("owners",)) if one["kind"].startswith("Mutating")]
    text = yaml.safe_dump_all(made)
    try:
        cluster.kubectl("apply", "-f", "-", stdin=text)
        yield
    finally:
        cluster.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=text)


def _namespace() -> dict[str, Any]:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


def _manifests(folder: Path, components: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yield the objects of kustomize that say who may do what, for the namespace of the tests."""
    content = {"resources": [str(K8S / "base")], "components": [str(K8S / "components" / one) for one in components]}
    relative = {key: [_relative(path, folder) for path in paths] for key, paths in content.items()}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(relative))
    built = subprocess.run([kustomize(), "build", folder], check=True, capture_output=True, text=True).stdout
    for one in yaml.safe_load_all(built):
        if one["kind"].removesuffix("Binding") in _POLICIES:
            yield _renamed(one)
        elif one["kind"] in _BASE:
            yield one | {"metadata": one["metadata"] | {"namespace": NAMESPACE}}


def _relative(path: str, folder: Path) -> str:
    return os.path.relpath(path, folder.resolve())


def _renamed(policy: dict[str, Any]) -> dict[str, Any]:
    policy["metadata"]["name"] += SUFFIX
    spec = policy["spec"]
    if "policyName" in spec:
        spec["policyName"] += SUFFIX
        spec["matchResources"]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] = NAMESPACE
    for variable in spec.get("variables", []):
        variable["expression"] = _SETTINGS.get(variable["name"], variable["expression"])
    return policy


# Objects --------------------------------------------------------------------------------------------------------------


def run(run_id: str = "perovskites-1", request: RunRequest | None = None, **cluster: Any) -> dict[str, Any]:
    """Return the Job of a run as ``phase2 submit`` builds it."""
    asked = ClusterRequest(image=Image.parse(cluster.pop("image", f"{IMAGE}:1")), namespace=NAMESPACE, **cluster)
    return build_job(make_plan(run_id, resolve(request or RunRequest(level="lite")), asked))


def transfer(*arguments: str) -> dict[str, Any]:
    """Return the Job of ``phase2 pull --through-cluster``."""
    words = arguments or ("offer", "perovskites-1")
    return transfer_job("phase2-pull-0a1b2c3d", words, namespace=NAMESPACE, image=f"{IMAGE}:1", secret="phase2-s3")


def changed(thing: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return an object with another value at a path such as ``spec/template/spec/containers/0/command``.

    ``-`` at the end appends to a list; ``None`` removes a field.
    """
    made = copy.deepcopy(thing)
    *above, last = path.replace("~1", "\0").split("/")
    place: Any = made
    for key in (key.replace("\0", "/") for key in above):
        place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
    last = last.replace("\0", "/")
    if isinstance(place, list):
        place.append(value) if last == "-" else place.__setitem__(int(last), value)
    elif value is None:
        del place[last]
    else:
        place[last] = value
    return made


def in_pod(path: str, value: Any, thing: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a run whose pod has another value at a path."""
    return changed(thing or run(), f"spec/template/spec/{path}", value)


def in_container(path: str, value: Any, thing: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a run whose container has another value at a path."""
    return in_pod(f"containers/0/{path}", value, thing)
