"""Despite a fault of its pod or the cluster, a run ends complete, published once, and bit for bit as without it."""

from collections.abc import Callable

import psutil
import pytest
from tests.on_cluster.lab.waiting import wait_until
from tests.on_cluster.support import faults
from tests.on_cluster.support.fault_runs import (
    AT_EPOCH,
    ON_THE_HOST,
    OUT_OF_MEMORY,
    POD_FAULTS,
    QUICK,
    TWINS,
    UNREACHABLE,
    submitted,
)
from tests.on_cluster.support.runs import epochs_of

from phase2.testing.same_result import assert_same_result

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


@pytest.fixture(scope="session")
def whole(reference_run, runs, bucket, tmp_path_factory):
    """Results of the run without a fault."""
    reference_run.watched.result()
    return runs.published(reference_run.run_id, bucket).pull(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def assert_survived(runs, bucket, whole, tmp_path, survived):
    """Assert that a run ended as if there had been no fault."""

    def check(run_id: str, fault: str, *, attempts: int) -> None:
        runs.wait_for_end(run_id)
        run = runs.published(run_id, bucket)
        made = run.manifest.attempts
        assert len(made) >= attempts, made
        assert attempts == 1 or any(each.resumed_from for each in made), "It started anew instead of resuming."
        assert_same_result(run.pull(tmp_path), whole)
        survived[fault] += 1

    return check


def quick_or_slow(name):
    """A case whose run is started with its fault; continuous integration leaves out what is not quick."""
    return pytest.param(name, marks=[pytest.mark.fault_run(name), *([] if name in QUICK else [pytest.mark.slow])])


@pytest.mark.parametrize("name", [quick_or_slow(name) for name in POD_FAULTS])
def test_a_fault_of_a_pod(request, fault_runs, runs, assert_survived, name):
    if name in ON_THE_HOST:
        request.getfixturevalue("host")
    assert_survived(fault_runs[name].result(), POD_FAULTS[name][0], attempts=2)


@pytest.mark.slow
@pytest.mark.fault_run(OUT_OF_MEMORY)
def test_kubernetes_reports_the_oom_kill(fault_runs, runs):
    pods = runs.pods(fault_runs[OUT_OF_MEMORY].result())
    ended = [pod.status.container_statuses[0].state.terminated for pod in pods]
    assert "OOMKilled" in [each.reason for each in ended if each]


@pytest.mark.slow
@pytest.mark.fault_run(TWINS)
def test_two_pods_with_one_run_id(cluster, runs, fault_runs, assert_survived):
    run_id = fault_runs[TWINS].result()
    assert len(runs.jobs(run_id)) == 2
    logs = {pod.metadata.name: cluster.log(pod) for pod in runs.pods(run_id)}
    assert all(epochs_of(log) or "already" in log for log in logs.values()), logs
    assert_survived(run_id, "two pods with one run id", attempts=1)


@pytest.mark.slow
@pytest.mark.fault_run(UNREACHABLE)
def test_the_bucket_cannot_be_reached(host, fault_runs, assert_survived):
    assert_survived(
        fault_runs[UNREACHABLE].result(), "bucket unreachable to the end of the training and after", attempts=1
    )


@pytest.mark.slow
def test_the_node_is_drained(cluster, runs, assert_survived):
    run_id = submitted(runs, "drained")
    pod = runs.wait_for_epoch(run_id, AT_EPOCH)
    try:
        faults.drain(cluster)
        assert pod not in [each.metadata.name for each in runs.pods(run_id) if each.status.phase == "Running"]
    finally:
        faults.uncordon(cluster)
    assert_survived(run_id, "node drained and uncordoned", attempts=2)


@pytest.mark.slow
def test_the_container_runtime_restarts(host, runs, assert_survived):
    run_id = submitted(runs, "runtime")
    pod = runs.wait_for_epoch(run_id, AT_EPOCH)
    process = faults.process_of(host, pod)
    host.restart_containerd()
    assert psutil.pid_exists(process)  # the pod keeps training without its runtime
    assert_survived(run_id, "container runtime killed and restarted", attempts=1)


@pytest.mark.slow
def test_the_api_server_restarts(host, runs, assert_survived):
    run_id = submitted(runs, "api-server")
    runs.wait_for_epoch(run_id, AT_EPOCH)
    (pod,) = runs.pods(run_id)
    host.stop_apiserver()
    try:
        result = runs.phase2("status", run_id)
        assert result.code == 75
        assert "Traceback" not in result.errors
        _until(lambda: epochs_of(host.log(pod)) > AT_EPOCH, "another epoch")  # the pod needs no API server
    finally:
        host.start_apiserver()
    assert_survived(run_id, "API server killed and restarted", attempts=1)


@pytest.mark.slow
def test_the_store_restarts_during_an_upload(host, runs, minio_pod, assert_survived):
    restarts = minio_pod.restarts()
    run_id = submitted(runs, "store-restarts")
    runs.wait_for_epoch(run_id, AT_EPOCH)
    faults.kill_minio_while_it_writes(host, minio_pod)
    _until(lambda: minio_pod.restarts() == restarts + 1, "MinIO to be started again")
    assert_survived(run_id, "MinIO killed during an upload and restarted", attempts=1)


def test_submitting_a_run_again_returns_the_same_run(runs, reference_run):
    reference_run.watched.result()
    before = runs.jobs(reference_run.run_id)
    result = runs.submit(reference_run.run_id)
    assert (result.code, "already succeeded" in result.out) == (0, True), result
    assert [job.metadata.uid for job in runs.jobs(reference_run.run_id)] == [job.metadata.uid for job in before]


def _until(condition: Callable[[], object], what: str) -> None:
    wait_until(condition, what, 240)
