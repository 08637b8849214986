"""A training that the chart protects is spared by evictions for its time, and no longer."""

import json
import time

import pytest
from tests.chart.conftest import helm  # noqa: F401 - a fixture
from tests.chart.rendering import CHART, named, of_kind, parsed
from tests.on_cluster.support.charts import RELEASE, ChartNamespace

pytestmark = [pytest.mark.cluster, pytest.mark.chart, pytest.mark.timeout(900)]

SECONDS = 36
VALUES = ("--set", "argo.enabled=true", "--set", f"disruption.protectHours={SECONDS / 3600}")


def training_pod(things, image):
    """Return a pod with the labels and the probe of a training step, which sleeps."""
    spec = of_kind(things, "WorkflowTemplate")["phase2-train"]["spec"]
    (train,) = [step for step in spec["templates"] if step["name"] == "train"]
    probe = train["container"]["readinessProbe"] | {"periodSeconds": 2, "failureThreshold": 1}
    container = {
        "name": "main", "image": image, "command": ["python3", "-c", "import time; time.sleep(3600)"],
        "readinessProbe": probe, "securityContext": spec["templateDefaults"]["container"]["securityContext"],
    }  # fmt: skip
    protected = train["metadata"]["labels"]["phase2.dev/protected"]
    labels = spec["podMetadata"]["labels"] | {"phase2.dev/protected": protected}
    pod = {"securityContext": spec["securityContext"], "containers": [container], "restartPolicy": "Never"}
    metadata = {"name": "training", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod | {"terminationGracePeriodSeconds": 1}}


def evicted(space):
    """Ask for the eviction of the pod, as a drain does; returns what the API server refuses it with."""
    path = f"/api/v1/namespaces/{space.name}/pods/training/eviction"
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "training", "namespace": space.name}}
    done = space.cluster.kubectl("create", "--raw", path, "--filename=-", stdin=json.dumps(body), check=False)
    return done.stderr if done.returncode else ""


@pytest.mark.slow
def test_an_eviction_waits_for_the_protection_to_end(host, helm, image, tmp_path):  # noqa: F811
    space = ChartNamespace(host, helm, "phase2-chart-drain", tmp_path)
    with space.set_up(keys=False, volume=False):
        things = parsed(space("template", RELEASE, CHART, "--no-hooks", *VALUES).stdout)
        for one in (named(things, "PodDisruptionBudget"), training_pod(things, image)):
            space.kubectl("apply", "--filename=-", stdin=json.dumps(one))
        space.kubectl("wait", "pod/training", "--for=condition=Ready", "--timeout=120s")
        started = time.monotonic()
        host.wait(lambda: "disruption budget" in evicted(space), "the budget to be in force", "controller-manager")
        assert time.monotonic() - started < SECONDS
        space.kubectl("wait", "pod/training", "--for=condition=Ready=False", f"--timeout={2 * SECONDS}s")
        assert evicted(space) == ""
        space.kubectl("wait", "pod/training", "--for=delete", "--timeout=60s")
