"""Whatever happens to its pod or the cluster, a run ends complete, published once, and bit for bit as undisturbed."""

import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from phase2.storage.s3 import S3Store
from phase2.storage.s3_settings import S3Settings
from phase2.testing.same_result import assert_same_result

from . import faults
from .minio import BUCKET
from .runs import EPOCHS, Runs, epochs_of

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

AT_EPOCH = 3
"""Epochs that a run has trained when something happens to it."""
OUTAGE = 20
"""Seconds without a bucket: longer than the rest of the training, so that the end of the run meets them as well."""


@pytest.fixture(scope="session")
def runs(cluster, image) -> Runs:
    return Runs(cluster, image, f"s3://{BUCKET}/faults-{uuid.uuid4().hex[:8]}")


@pytest.fixture(scope="session")
def bucket(minio_pod, runs) -> S3Store:
    """The place of these runs in the bucket, as this host sees it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in minio_pod.server.environment.items():
            patch.setenv(name, value)
        yield S3Store(BUCKET, runs.store.removeprefix(f"s3://{BUCKET}/"), S3Settings.from_environment())


@pytest.fixture(scope="session")
def whole(runs, bucket, tmp_path_factory):
    """The run that nobody disturbs."""
    _submit(runs, "undisturbed")
    runs.wait_for_end("undisturbed")
    return runs.published("undisturbed", bucket).pull(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def assert_survived(runs, bucket, whole, tmp_path, survived):
    """Checks that a run ended as if nothing had happened."""

    def check(run_id: str, fault: str, *, attempts: int) -> None:
        runs.wait_for_end(run_id)
        run = runs.published(run_id, bucket)
        assert len(run.manifest.attempts) >= attempts, run.manifest.attempts
        assert_same_result(run.pull(tmp_path), whole)
        survived[fault] += 1

    return check


POD_FAULTS = {
    "deleted": ("pod deleted while training", faults.delete),
    "evicted": ("pod evicted through the API", faults.evict),
    "out-of-memory": ("process killed for its container's memory", faults.run_out_of_memory),
    "killed": ("SIGKILL of the process in the pod", faults.kill),
}


@pytest.fixture(scope="session")
def disturbed(cluster, runs, whole) -> dict[str, Future]:
    """Runs whose pods have met their fault; side by side, for most of the time of each is waiting for its next pod."""

    def disturb(name: str) -> None:
        _submit(runs, name)
        pod = runs.wait_for_epoch(name, AT_EPOCH)
        POD_FAULTS[name][1](cluster, pod)

    with ThreadPoolExecutor(2) as pool:
        return {name: pool.submit(disturb, name) for name in POD_FAULTS}


@pytest.mark.parametrize("name", POD_FAULTS)
def test_what_happens_to_a_pod(disturbed, assert_survived, name):
    disturbed[name].result()
    assert_survived(name, POD_FAULTS[name][0], attempts=2)


def test_out_of_memory_is_what_kubernetes_saw(disturbed, runs):
    disturbed["out-of-memory"].result()
    ended = [pod.status.container_statuses[0].state.terminated for pod in runs.pods("out-of-memory")]
    assert "OOMKilled" in [each.reason for each in ended if each]


def test_the_node_is_drained(cluster, runs, assert_survived):
    _submit(runs, "drained")
    pod = runs.wait_for_epoch("drained", AT_EPOCH)
    try:
        faults.drain(cluster)
        assert pod not in [each.metadata.name for each in runs.pods("drained") if each.status.phase == "Running"]
    finally:
        faults.uncordon(cluster)
    assert_survived("drained", "node drained and uncordoned", attempts=2)


def test_the_container_runtime_restarts(cluster, runs, assert_survived):
    _submit(runs, "runtime")
    runs.wait_for_epoch("runtime", AT_EPOCH)
    cluster.restart_containerd()
    assert_survived("runtime", "container runtime killed and restarted", attempts=1)


def test_the_api_server_restarts(cluster, runs, assert_survived):
    _submit(runs, "api-server")
    runs.wait_for_epoch("api-server", AT_EPOCH)
    (pod,) = runs.pods("api-server")
    cluster.stop_apiserver()
    try:
        said = runs.phase2("status", "api-server")
        assert said.code == 75
        assert "Traceback" not in said.errors
        _wait_until(lambda: epochs_of(runs.log(pod)) > AT_EPOCH)  # the pod needs no API server
    finally:
        cluster.start_apiserver()
    assert_survived("api-server", "API server killed and restarted", attempts=1)


def test_the_store_restarts_during_an_upload(cluster, runs, minio_pod, assert_survived):
    _submit(runs, "store-restarts")
    runs.wait_for_epoch("store-restarts", AT_EPOCH)
    faults.kill_minio_while_it_writes(cluster, minio_pod)
    assert_survived("store-restarts", "MinIO killed during an upload and restarted", attempts=1)


def test_the_bucket_cannot_be_reached(runs, minio_pod, assert_survived):
    _submit(runs, "unreachable")
    runs.wait_for_epoch("unreachable", AT_EPOCH)
    (pod,) = runs.pods("unreachable")
    minio_pod.block()
    try:
        blocked = time.monotonic()
        _wait_until(lambda: epochs_of(runs.log(pod)) >= EPOCHS and time.monotonic() > blocked + OUTAGE)
        assert not runs.has_ended("unreachable")
    finally:
        minio_pod.unblock()
    assert_survived("unreachable", "bucket unreachable to the end of the training and after", attempts=1)


def test_two_pods_with_one_run_id(cluster, runs, assert_survived):
    _submit(runs, "twins")
    runs.wait_for_epoch("twins", AT_EPOCH)
    (job,) = runs.jobs("twins")
    faults.second_job(cluster, job)
    assert_survived("twins", "two pods with one run id", attempts=1)


def test_submitted_again_a_run_is_the_same_run(runs, whole):
    before = runs.jobs("undisturbed")
    _submit(runs, "undisturbed")
    assert [job.metadata.uid for job in runs.jobs("undisturbed")] == [job.metadata.uid for job in before]


def _submit(runs: Runs, run_id: str) -> None:
    said = runs.submit(run_id)
    assert said.code == 0, said.errors


def _wait_until(condition, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {seconds:.0f} s.")
        time.sleep(0.1)
