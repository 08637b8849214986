"""Whatever happens to its pod or the cluster, a run ends complete, published once, and bit for bit as undisturbed."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import psutil
import pytest

from phase2.testing.same_result import assert_same_result

from . import faults
from .cluster import Cluster
from .runs import EPOCHS, Runs, epochs_of
from .waiting import wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

AT_EPOCH = 3
"""Epochs that a run has trained when something happens to it."""
CHANCES = 3
"""Runs that may be over before their fault reaches them, on a machine with much to do: that one showed nothing."""
OUTAGE = 20
"""Seconds without a bucket: longer than the rest of the training, so that the end of the run meets them as well."""


@pytest.fixture(scope="session")
def whole(disturbed, runs, bucket, tmp_path_factory):
    """The run that nobody disturbs."""
    run_id = _submit(runs, "undisturbed")
    runs.wait_for_end(run_id)
    return runs.published(run_id, bucket).pull(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def assert_survived(runs, bucket, whole, tmp_path, survived):
    """Checks that a run ended as if nothing had happened."""

    def check(run_id: str, fault: str, *, attempts: int) -> None:
        runs.wait_for_end(run_id)
        run = runs.published(run_id, bucket)
        made = run.manifest.attempts
        assert len(made) >= attempts, made
        assert attempts == 1 or any(each.resumed_from for each in made), "It began anew instead of going on."
        assert_same_result(run.pull(tmp_path), whole)
        survived[fault] += 1

    return check


POD_FAULTS = {
    "deleted": ("pod deleted while training", faults.delete),
    "evicted": ("pod evicted through the API", faults.evict),
    "out-of-memory": ("process killed for its container's memory", faults.run_out_of_memory),
    "killed": ("SIGKILL of the process in the pod", faults.kill),
}
ON_THE_HOST = {"killed"}
"""Faults that take the node's own processes."""


@pytest.fixture(scope="session")
def disturbed(cluster, runs, bucket) -> Iterator[dict[str, Future[str]]]:
    """Ids of runs whose pods met their fault.

    They run side by side, for most of the time of each is waiting for its next pod.
    """

    def is_met(name: str, run_id: str) -> bool:
        pod = runs.wait_for_epoch(run_id, AT_EPOCH)
        # A process that is killed at once cannot save: what it goes on from must have been kept before.
        _until(
            lambda: any(run_id in each.key and each.key.endswith("/latest.json") for each in bucket.list()),
            "a checkpoint in the bucket",
        )
        POD_FAULTS[name][1](cluster, pod)
        runs.wait_for_end(run_id)
        return len(runs.published(run_id, bucket).manifest.attempts) > 1

    def disturb(name: str) -> str:
        for chance in range(CHANCES):
            run_id = _submit(runs, f"{name}-{chance}")
            if is_met(name, run_id):
                return run_id
        raise AssertionError(f"{CHANCES} runs ended before their fault: {name}.")

    possible = [name for name in POD_FAULTS if name not in ON_THE_HOST or isinstance(cluster, Cluster)]
    with ThreadPoolExecutor(len(possible)) as pool:
        yield {name: pool.submit(disturb, name) for name in possible}


@pytest.mark.parametrize("name", POD_FAULTS)
def test_what_happens_to_a_pod(request, disturbed, runs, assert_survived, name):
    if name in ON_THE_HOST:
        request.getfixturevalue("host")
    assert_survived(disturbed[name].result(), POD_FAULTS[name][0], attempts=2)


def test_out_of_memory_is_what_kubernetes_saw(disturbed, runs):
    pods = runs.pods(disturbed["out-of-memory"].result())
    ended = [pod.status.container_statuses[0].state.terminated for pod in pods]
    assert "OOMKilled" in [each.reason for each in ended if each]


def test_the_node_is_drained(cluster, runs, assert_survived):
    run_id = _submit(runs, "drained")
    pod = runs.wait_for_epoch(run_id, AT_EPOCH)
    try:
        faults.drain(cluster)
        assert pod not in [each.metadata.name for each in runs.pods(run_id) if each.status.phase == "Running"]
    finally:
        faults.uncordon(cluster)
    assert_survived(run_id, "node drained and uncordoned", attempts=2)


def test_the_container_runtime_restarts(host, runs, assert_survived):
    run_id = _submit(runs, "runtime")
    pod = runs.wait_for_epoch(run_id, AT_EPOCH)
    process = faults.process_of(host, pod)
    host.restart_containerd()
    assert psutil.pid_exists(process)  # the pod trains on without its runtime
    assert_survived(run_id, "container runtime killed and restarted", attempts=1)


def test_the_api_server_restarts(host, runs, assert_survived):
    run_id = _submit(runs, "api-server")
    runs.wait_for_epoch(run_id, AT_EPOCH)
    (pod,) = runs.pods(run_id)
    host.stop_apiserver()
    try:
        said = runs.phase2("status", run_id)
        assert said.code == 75
        assert "Traceback" not in said.errors
        _until(lambda: epochs_of(host.log(pod)) > AT_EPOCH, "another epoch")  # the pod needs no API server
    finally:
        host.start_apiserver()
    assert_survived(run_id, "API server killed and restarted", attempts=1)


def test_the_store_restarts_during_an_upload(host, runs, minio_pod, assert_survived):
    restarts = minio_pod.restarts()
    run_id = _submit(runs, "store-restarts")
    runs.wait_for_epoch(run_id, AT_EPOCH)
    faults.kill_minio_while_it_writes(host, minio_pod)
    _until(lambda: minio_pod.restarts() == restarts + 1, "MinIO to be started again")
    assert_survived(run_id, "MinIO killed during an upload and restarted", attempts=1)


def test_the_bucket_cannot_be_reached(host, runs, minio_pod, assert_survived):
    run_id = _submit(runs, "unreachable")
    runs.wait_for_epoch(run_id, AT_EPOCH)
    (pod,) = runs.pods(run_id)
    minio_pod.block()
    try:
        blocked = time.monotonic()
        _until(
            lambda: epochs_of(host.log(pod)) >= EPOCHS and time.monotonic() > blocked + OUTAGE, "the training to end"
        )
        assert not runs.has_ended(run_id)
    finally:
        minio_pod.unblock()
    assert_survived(run_id, "bucket unreachable to the end of the training and after", attempts=1)


def test_two_pods_with_one_run_id(cluster, runs, assert_survived):
    run_id = _submit(runs, "twins")
    runs.wait_for_epoch(run_id, AT_EPOCH)
    (job,) = runs.jobs(run_id)
    faults.second_job(cluster, job)
    _until(lambda: len(runs.jobs(run_id)) == 2 and runs.has_ended(run_id), "both to end")
    said = {pod.metadata.name: cluster.log(pod) for pod in runs.pods(run_id)}
    assert all(epochs_of(log) or "already" in log for log in said.values()), said
    assert_survived(run_id, "two pods with one run id", attempts=1)


def test_submitted_again_a_run_is_the_same_run(runs, whole):
    before = runs.jobs(runs.id("undisturbed"))
    run_id = _submit(runs, "undisturbed")
    assert [job.metadata.uid for job in runs.jobs(run_id)] == [job.metadata.uid for job in before]


def _submit(runs: Runs, name: str) -> str:
    run_id = runs.id(name)
    said = runs.submit(run_id)
    assert said.code == 0, said.errors
    return run_id


def _until(condition: Callable[[], object], what: str) -> None:
    wait_until(condition, what, 240)
