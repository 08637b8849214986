"""The observer as the chart runs it, with its own service account: Events on a run's Job, and metrics."""

import pytest
from tests.chart.conftest import helm  # noqa: F401 - a fixture
from tests.on_cluster.lab.services.store import BUCKET
from tests.on_cluster.lab.waiting import wait_until
from tests.on_cluster.support.charts import ChartNamespace

pytestmark = [pytest.mark.cluster, pytest.mark.chart, pytest.mark.timeout(600)]

NAMESPACE = "phase2-observed"
RUN = "observed-by-the-chart"
LEFT_OUT = ("priorityClass.create", "admission.create", "nightly.enabled", "dataCache.enabled", "quota.enabled")


@pytest.fixture
def here(host, helm, runs, image, tmp_path):  # noqa: F811
    """A release with the observer, which looks every second and asks the store."""
    chosen = {"observer.enabled": "true", "observer.checkStore": "true", "observer.period": "1"}
    chosen |= dict.fromkeys(LEFT_OUT, "false")
    with ChartNamespace(host, helm, NAMESPACE, tmp_path).set_up(volume=False) as made:
        options = [word for name, value in chosen.items() for word in ("--set", f"{name}={value}")]
        made.install(*made.values(image, f"s3://{BUCKET}/{runs.prefix}-observed"), *options)
        yield made


@pytest.mark.slow
def test_it_tells_of_a_run_that_fails(here, runs):
    words = ["--algorithm", "cgcnn", "--level", "smoke", "--store", "s3://no-such-bucket", "--cpu", "100m"]
    place = ["--memory", "2Gi", "--run-id", RUN, "--namespace", NAMESPACE, "--backend", "job"]
    done = runs.phase2("submit", *words, *place)
    assert done.code == 0, done.errors

    def reasons():
        which = "--field-selector=involvedObject.kind=Job,source=phase2-observer"
        return here.kubectl("get", "events", which, "--output=jsonpath={.items[*].reason}").split()

    def log():
        return here.kubectl("logs", "deployment/phase2-observer", check=False) + here.described()

    wait_until(lambda: "RunFailed" in reasons(), "the event", 240, log, pause=1)
    assert reasons().count("RunFailed") == 1
    pod = here.kubectl("get", "pods", "--selector=phase2.dev/observer", "--output=jsonpath={.items[0].metadata.name}")
    shown = here.kubectl("get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:9108/proxy/metrics")
    assert f'phase2_observer_up{{namespace="{NAMESPACE}"}} 1.0' in shown
    assert f'phase2_store_reachable{{namespace="{NAMESPACE}"}} 1.0' in shown
    assert f'run="{RUN}",state="failed"' in shown
