"""A real Argo, the installation of its workflows, and a place for their runs, each for one module."""

import json

import pytest
from tests.argo.manifests import TEMPLATES
from tests.on_cluster.lab.services.argo_controller import ArgoController
from tests.on_cluster.lab.services.store import BUCKET
from tests.on_cluster.support.argo_installation import argo_installation
from tests.on_cluster.support.workflows import Workflows

from phase2.cluster.manifests.workflow import FIRST_STEP

OFTEN = ["--checkpoint-minutes", "0.005"]


@pytest.fixture(scope="module")
def argo(host, image, tmp_path_factory):
    manifests = argo_installation(image, tmp_path_factory.mktemp("overlay"))
    with ArgoController(host) as made:
        host.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifests)
        save_often(host)
        made.start()
        yield made
        host.kubectl("delete", "workflows,cronworkflows", "--all", "--namespace", host.namespace)
        host.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=manifests)


def save_often(cluster):
    """A killed process resumes from the last checkpoint in the bucket, which would be minutes old by default."""
    steps = enumerate(TEMPLATES["phase2-train"]["spec"]["templates"])
    trainings = [k for k, one in steps if one["name"] in {"train", FIRST_STEP}]
    paths = [f"/spec/templates/{each}/container/args/-" for each in trainings]
    added = [{"op": "add", "path": path, "value": word} for path in paths for word in OFTEN]
    words = ["patch", "workflowtemplate", "phase2-train", "--namespace", cluster.namespace, "--type=json"]
    cluster.kubectl(*words, "--patch", json.dumps(added))


@pytest.fixture(scope="module")
def place(runs):
    """Prefix in the bucket of the runs of these tests."""
    return f"{runs.prefix}-argo"


@pytest.fixture(scope="module")
def kept(in_bucket, place):
    return in_bucket(place)


@pytest.fixture(scope="module")
def workflows(host, argo, place):
    common = {"store": f"s3://{BUCKET}/{place}"}
    return Workflows(host, argo, common)
