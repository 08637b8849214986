"""A namespace that kustomize installed becomes a release of the chart, with the same objects."""

import copy
import json

import pytest
import yaml
from tests.chart.conftest import helm  # noqa: F401 - a fixture
from tests.chart.rendering import CHART
from tests.k8s.conftest import kustomize  # noqa: F401 - a fixture
from tests.on_cluster.lab.services.store import BUCKET
from tests.on_cluster.support.charts import RELEASE, ChartNamespace

pytestmark = [pytest.mark.cluster, pytest.mark.chart, pytest.mark.timeout(900)]

NAMESPACE = "phase2-takeover"
SUFFIX = f"-{NAMESPACE}"
FLAGS = ("--take-ownership", "--force-conflicts")
KEPT = {"PersistentVolumeClaim/phase2-data-cache", "Secret/phase2-s3"}


def moved(thing):
    """Return an object of k8s/ as it is in this namespace, with names of its own where it is in none."""
    one = copy.deepcopy(thing)
    if "namespace" in one["metadata"]:
        one["metadata"]["namespace"] = NAMESPACE
        return one
    one["metadata"]["name"] += SUFFIX
    if one["kind"] == "ValidatingAdmissionPolicyBinding":
        one["spec"]["policyName"] += SUFFIX
        labels = one["spec"]["matchResources"]["namespaceSelector"]["matchLabels"]
        labels["kubernetes.io/metadata.name"] = NAMESPACE
    return one


@pytest.fixture
def manifests(kustomize):  # noqa: F811
    """The objects of k8s/base and of the policy of Jobs."""
    things = [one for one in yaml.safe_load_all(kustomize("components/policy")) if one["kind"] != "Namespace"]
    return yaml.safe_dump_all([moved(one) for one in things])


def identities(space, manifests):
    """Return the uids of these objects by kind and name."""
    return {name: one["uid"] for name, one in metadata(space, manifests).items()}


def metadata(space, manifests):
    """Return the metadata of these objects as they are, by kind and name."""
    words = ["get", "--output=json", "--filename=-"]
    items = json.loads(space.cluster.kubectl(*words, stdin=manifests).stdout)["items"]
    return {(one["kind"], one["metadata"]["name"]): one["metadata"] for one in items}


def is_admitted(space):
    """Whether the API server takes the Job of ``helm test``; nothing is stored."""
    hooks = yaml.safe_load_all(space("get", "hooks", RELEASE).stdout)
    (job, _) = [one for one in hooks if one and one["kind"] == "Job"]
    words = ["create", "--dry-run=server", "--filename=-"]
    return space.cluster.kubectl(*words, stdin=json.dumps(job), check=False).returncode == 0


@pytest.mark.slow
def test_the_chart_takes_over_what_kustomize_installed(host, helm, image, manifests, tmp_path):  # noqa: F811
    space = ChartNamespace(host, helm, NAMESPACE, tmp_path)
    # Nothing but the namespace gives the names of cluster-scoped objects.
    values = [*space.values(image, f"s3://{BUCKET}/takeover"), "--set-string", "clusterSuffix="]
    with space.set_up():
        host.kubectl("apply", "--filename=-", stdin=manifests)
        try:
            before = identities(space, manifests)
            refused = space("install", RELEASE, CHART, *values, check=False)
            assert refused.returncode != 0
            assert "invalid ownership metadata" in refused.stderr
            space("uninstall", RELEASE, "--ignore-not-found", "--no-hooks")
            assert identities(space, manifests) == before

            space("install", RELEASE, CHART, *FLAGS, *values)
            assert identities(space, manifests) == before
            for name, one in metadata(space, manifests).items():
                assert one["annotations"]["meta.helm.sh/release-namespace"] == NAMESPACE, name
            assert {name for _, name in before} >= {f"phase2-training{SUFFIX}", f"phase2-jobs{SUFFIX}"}
            url = space.kubectl("get", "configmap", "phase2-store", "--output=jsonpath={.data.PHASE2_STORE}")
            assert url == f"s3://{BUCKET}/takeover"
            # The API server takes a moment to look at Jobs by the policy as it is now.
            host.wait(lambda: is_admitted(space), "the policy to approve the image", "apiserver")
            assert "Phase:          Succeeded" in space.test().stdout
            space.install(*values)  # an upgrade needs neither flag

            space("uninstall", RELEASE, "--wait", "--timeout", "2m")
            host.wait(lambda: space.objects() == KEPT, f"only {KEPT} to be left", "controller-manager")
            assert space.cluster_scoped(SUFFIX) == set()
        finally:
            host.kubectl("delete", "--ignore-not-found", "--wait=false", "--filename=-", stdin=manifests)
