"""What goes with a release, on real images: the bill of the image that trains, and an archive that a node imports."""

import json
import shutil
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from tests.on_cluster.lab.building import images
from tests.on_cluster.lab.building.buildah import Buildah
from tests.on_cluster.lab.node import addresses
from tests.on_cluster.lab.node.leftovers import ctr
from tests.on_cluster.lab.pods import Pods

import phase2
from tools.supply import installed, sbom
from tools.supply.constraints import pinned
from tools.supply.engine import archived_name, digest_of, python_in, save

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.chart, pytest.mark.timeout(600)]


@pytest.fixture
def storage(host, monkeypatch):
    """Options of buildah with the images of the tests."""
    monkeypatch.setenv("ENGINE", "buildah")
    layers = host.folders.layers
    return (f"--root={layers}/images", f"--runroot={layers}/run", "--storage-driver=overlay")


def test_the_bill_of_the_image_has_what_is_in_it(host, image, storage):
    name = f"{addresses.REGISTRY}/phase2"
    newest = Buildah(host.folders).run("images", "--format", "{{.Name}}:{{.Tag}}", "--filter", f"reference={name}")
    local = next(line for line in newest.split() if line.startswith(f"{name}:"))
    found = json.loads(python_in(local, Path(installed.__file__), storage))
    text = sbom.as_json(sbom.of_image(local, digest_of(local, storage), found))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    listed = {(one["name"], one["version"]): one for one in json.loads(text)["components"]}
    assert {name for name, _ in listed} >= {"libc6", "python3", "torch", "numpy", "phase2"}
    assert ("phase2", phase2.__version__) in listed
    known = {(one.name, one.version) for one in pinned("train")} & listed.keys()
    assert len(known) > 50
    assert all(listed[one]["externalReferences"][0]["hashes"] for one in known)


@pytest.mark.parametrize("engine", ["skopeo", "buildah"])
def test_an_archive_is_imported_into_a_node_and_runs(host, storage, tmp_path, monkeypatch, engine):
    if not shutil.which(engine):
        pytest.skip(f"{engine} is not installed")
    monkeypatch.setenv("ENGINE", engine)
    monkeypatch.setenv("PLAIN_HTTP", "1")
    reference = images.pause_image(host.folders)
    archive, pods = tmp_path / "pause.tar", Pods(host)
    assert save(reference, archive, storage if engine == "buildah" else ()) == ""
    name = archived_name(reference)
    try:
        said = ctr(host.folders, "images", "import", str(archive)).stdout
        assert name in said
        if engine == "skopeo":
            assert reference.partition("@")[2] in said
        pods.create(imported(name))
        pods.wait("imported", lambda status: status.phase == "Running", "to run")
    finally:
        pods.delete("imported")
        ctr(host.folders, "images", "remove", name)


def imported(name):
    """A pod of an image that nothing may pull."""
    container = {
        "name": "imported",
        "image": name,
        "imagePullPolicy": "Never",
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "16Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"containers": [container], "securityContext": security, "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "imported"}, "spec": spec}
