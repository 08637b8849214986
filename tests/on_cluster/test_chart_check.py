"""``helm test`` on a real cluster: it says what is wrong in words, and nothing of it is left after an uninstall."""

import json

import pytest
from tests.chart.conftest import helm  # noqa: F401 - a fixture
from tests.chart.rendering import CHART
from tests.on_cluster.lab.services.store import BUCKET
from tests.on_cluster.support.charts import RELEASE, SUFFIX, ChartNamespace

pytestmark = [pytest.mark.cluster, pytest.mark.chart, pytest.mark.timeout(900)]

CLAIM, SECRET = "PersistentVolumeClaim/phase2-data-cache", "Secret/phase2-s3"


def of_tests(space):
    """Return the objects of ``helm test`` that are there, pods included."""
    return {name for name in space.objects() if "phase2-test" in name}


@pytest.mark.slow
def test_a_failed_test_says_why_and_leaves_nothing_after_an_uninstall(host, helm, image, tmp_path):  # noqa: F811
    space = ChartNamespace(host, helm, "phase2-chart-check", tmp_path)
    values = [*space.values(image, "s3://no-such-bucket-at-all"), "--set-string", f"clusterSuffix={SUFFIX}-check"]
    with space.set_up(volume=False):
        # The cluster of the tests has no storage class: without a volume of its own the claim stays Pending.
        space("upgrade", RELEASE, "--install", CHART, *values)
        done = space.test(check=False)
        assert done.returncode != 0
        said = " ".join((done.stdout + done.stderr).split())
        assert "phase2-data-cache has no volume: it names no StorageClass, and this cluster has no default one" in said
        assert of_tests(space) == set()

        host.kubectl("apply", "-f", "-", stdin=json.dumps(space.volume()))
        space.kubectl("wait", "pvc/phase2-data-cache", "--for=jsonpath={.status.phase}=Bound", "--timeout=60s")
        done = space.test(check=False)
        assert done.returncode != 0
        assert "no-such-bucket-at-all" in done.stdout + done.stderr
        assert "Job/phase2-test" in of_tests(space)

        space("uninstall", RELEASE, "--wait", "--timeout", "2m")
        host.wait(lambda: space.objects() == {CLAIM, SECRET}, "nothing but these to be left", "controller-manager")
        assert space.cluster_scoped(f"{SUFFIX}-check") == set()


@pytest.mark.slow
def test_a_test_that_succeeds_leaves_nothing(host, helm, image, tmp_path):  # noqa: F811
    space = ChartNamespace(host, helm, "phase2-chart-passes", tmp_path)
    values = [*space.values(image, f"s3://{BUCKET}/passes"), "--set-string", f"clusterSuffix={SUFFIX}-passes"]
    with space.set_up():
        space.install(*values)
        assert "Phase:          Succeeded" in space.test().stdout
        assert of_tests(space) == set()
